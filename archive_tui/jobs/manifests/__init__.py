"""What the kinds of jobs over manifests and vaults share: picked lines, runs over them, ends, command lines."""
