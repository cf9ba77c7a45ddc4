"""The datasafe over HTTP: addresses, statuses and documents, and the server that answers with them."""
