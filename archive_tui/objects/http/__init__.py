"""A datasafe behind an HTTP server as a read-only object store: each dataset is one object, LOI.zip.

How the parts fit: `store` is the face, `connection` sends requests to the one server of an `address` and repeats those
that may be repeated, `reading` streams an archive and takes it up again where a connection broke, `failures` says in
this program's words what a server refused.
"""

from archive_tui.objects.http.store import HttpStore

__all__ = ["HttpStore"]
