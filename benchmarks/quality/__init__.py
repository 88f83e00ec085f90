"""What the tools, features and metrics do to pictures and sequences."""
