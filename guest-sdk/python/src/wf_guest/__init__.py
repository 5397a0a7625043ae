"""The guest's side of wf-host for Python: what stands between the names of the original and the host."""
