"""``labkit chart``: Helm's commands for charts, with Helm's names and flags."""
