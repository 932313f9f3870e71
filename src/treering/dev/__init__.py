"""`treering dev`: one parent that owns the servers and two children, and keeps them alive."""
