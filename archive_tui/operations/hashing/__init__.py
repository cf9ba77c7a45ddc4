"""Hashing files: few huge ones and many small ones, on all processors."""
