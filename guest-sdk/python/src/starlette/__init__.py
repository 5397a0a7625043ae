"""What the original's server stands on. Here is what files give to that server, and what it is not asked for."""
