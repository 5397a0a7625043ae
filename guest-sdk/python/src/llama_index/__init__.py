"""What existing files import of llama-index: its workflows."""
