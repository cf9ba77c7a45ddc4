"""What the browse screen does with manifests: making one in a panel, and the work on their lines."""
