"""The page that counts what would be deleted, and asks."""
