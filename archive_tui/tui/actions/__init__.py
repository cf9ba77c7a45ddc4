"""What a person can do, with its keys: one registry for key line, palette, help and "copy as command"."""
