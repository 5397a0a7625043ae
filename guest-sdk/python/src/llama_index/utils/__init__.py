"""What existing files import of the tools of llama-index."""
