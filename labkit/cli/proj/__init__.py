"""``labkit proj``: AppProjects, their roles and their sync windows."""
