"""Packing a source into a zip archive, as a stream, each byte read once."""
