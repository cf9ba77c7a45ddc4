"""The pane, its frame, and the panels that may lie over it."""
