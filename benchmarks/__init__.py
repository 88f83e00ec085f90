"""Measurements of speed, of parity with PyTorch and the libraries, and of quality.

Each is run from the root of the clone: `python -m benchmarks.NAME --help`.
"""
