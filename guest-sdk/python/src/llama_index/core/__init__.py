"""What existing files import of llama-index-core: its workflows. The rest of it has native parts."""
