"""Reading an archive that may be hostile: its structure first, then every member."""
