"""What screens show of manifests and of the vault: tables, states of lines, the names that are known."""
