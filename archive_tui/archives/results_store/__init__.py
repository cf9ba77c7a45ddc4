"""Results stores: files under event, production and name, written once and verified at every check-out."""
