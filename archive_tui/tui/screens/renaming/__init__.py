"""The page that renames several entries by a pattern."""
