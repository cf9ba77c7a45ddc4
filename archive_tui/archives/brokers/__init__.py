"""Storage brokers: lists of files go to, come from, and move within a storage backend, whatever that is."""
