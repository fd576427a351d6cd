"""Google Cloud as the target: who the lake is there, what it must be allowed, and whether it is."""
