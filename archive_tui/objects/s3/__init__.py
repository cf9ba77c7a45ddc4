"""An object store on S3 and on what speaks its protocol.

How the parts fit: `store` is the face, `connection` sends one signed request, `fast_path` sends some through obstore,
`writing` and `multipart` put, `reading` gets, `listing` lists, `probing` finds out what a server keeps of its promises.
"""

from archive_tui.objects.s3.store import S3Store

__all__ = ["S3Store"]
