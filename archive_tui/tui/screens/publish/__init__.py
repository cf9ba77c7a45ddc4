"""The publish guide: seven steps from a folder to a receipt, one module for each."""
