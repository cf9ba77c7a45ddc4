"""Looking at a source before it is published: which files there are, and what is refused."""
