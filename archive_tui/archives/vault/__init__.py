"""The vault: every content once, under its own digest, and the manifests that name the contents."""
