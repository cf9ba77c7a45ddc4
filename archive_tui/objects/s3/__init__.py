"""An object store on S3 and on what speaks its protocol.

How the parts fit: `store` is the face, `connection` sends one signed request over `transport` (HEADs by
`kept_exchange`), `fast_path` sends some through obstore, `writing` puts by way of `whole_put` or `multipart` (with
`full_crc`), `reading` gets, `listing` lists, `headers` says what a HEAD tells, `probing` finds out what a server keeps
of its promises.
"""

from archive_tui.objects.s3.store import S3Store

__all__ = ["S3Store"]
