"""A process that puts one large object through a store that remembers, to be killed in the middle of it.

Takes a JSON object: `kind` (s3 or azure), `settings` of the store, `tokens` (a file), `seed` and `size` of the content,
`promises` (whether digest and size are told before). Prints a JSON object with what the put has returned.
"""

from __future__ import annotations

import json
import random
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from archive_tui.objects.azure import AzureStore, upload
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.s3 import S3Store
from archive_tui.objects.s3.pieces import MIB, TransferSizes
from tests.conformance.kept_tokens import KeptTokens

KEY = "large.bin"
BLOCK_SIZE = MIB
PART_SIZE = 5 * MIB


def make_large_content(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def open_driver_store(kind: str, settings: dict[str, Any]) -> ObjectStore:
    if kind == "azure":
        upload.BLOCK_SIZE = BLOCK_SIZE
        return AzureStore(**settings)
    return S3Store(**settings, sizes=TransferSizes(in_memory=MIB, single_put=6 * MIB, part=PART_SIZE))


def main() -> None:
    wanted = json.loads(sys.argv[1])
    content = make_large_content(wanted["seed"], wanted["size"])
    promise = {"digest": sha256(content).hexdigest(), "size": len(content)} if wanted["promises"] else {}
    counts: list[int] = []
    with open_driver_store(wanted["kind"], wanted["settings"]) as store:
        store.unfinished = KeptTokens(Path(wanted["tokens"]))
        chunks = (content[start : start + 300_001] for start in range(0, len(content), 300_001))
        result = store.put(KEY, chunks, sent=counts.append, **promise)
    print(json.dumps({"digest": result.info.digest, "sent": counts[-1], "level": result.evidence.level.name}))


if __name__ == "__main__":
    main()
