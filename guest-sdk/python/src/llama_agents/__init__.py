"""What existing files import of llama-agents."""
