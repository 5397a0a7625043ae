"""How a workflow looks as a graph: the host shows it, at `/workflows/NAME/representation`."""
