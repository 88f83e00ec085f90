"""The same models in PyTorch, and comparisons with them (extra `bench`)."""
