"""What is killed: one command for each kind of work, what must hold after any end of it, and what at the very end."""

from __future__ import annotations

import hashlib
import random
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from archive_tui.names.content_address import VAULT_PREFIX, digest_of_key
from archive_tui.objects.object_store import ObjectStore
from tests.archives.faults.commands import publish_words, run_program
from tests.archives.faults.places import Place, check_only_whole_versions, tree_of, visible_keys, write_source

NAME = "winds"
LARGE = 24 << 20
"""Several parts and blocks of every store."""
SMALL_FILES = 12


class Scenario(ABC):
    """One work in one place. `prepare` runs without kills; `words` is the command that is killed and repeated."""

    name: ClassVar[str]
    ends: ClassVar[frozenset[str]] = frozenset({"verified", "finished"})
    """With which words it may end that has been taken up."""

    def __init__(self, place: Place, base: Path) -> None:
        self.place = place
        self.base = base

    @abstractmethod
    def prepare(self) -> None: ...

    @abstractmethod
    def begin_turn(self, number: int) -> tuple[str, ...]:
        """Returns the words of a fresh piece of work."""

    @abstractmethod
    def check_visible(self, store: ObjectStore) -> None:
        """What anybody may see at any moment: whole things, and all that was acknowledged."""

    @abstractmethod
    def check_done(self, store: ObjectStore) -> None:
        """What must be there once the work is complete."""


class Publishing(Scenario):
    name = "publish"

    def prepare(self) -> None:
        self._source = write_source(self.base / "source", 0, size=LARGE)
        assert run_program(self.place.folder, *publish_words(NAME, self._source)).status == 0
        self._acknowledged = ["0.0.1"]

    def begin_turn(self, number: int) -> tuple[str, ...]:
        (self._source / "notes.md").write_text(f"turn {number}\n")
        self._expected = f"0.0.{len(self._acknowledged) + 1}"
        return publish_words(NAME, self._source)

    def check_visible(self, store: ObjectStore) -> None:
        keys = {key for key in visible_keys(store) if key.endswith(".zip")}
        assert {f"{NAME}.{version}.zip" for version in self._acknowledged} <= keys
        assert keys <= {f"{NAME}.{version}.zip" for version in (*self._acknowledged, self._expected)}

    def check_done(self, store: ObjectStore) -> None:
        self._acknowledged.append(self._expected)
        fetched = self.base / "fetched" / self._expected
        words = ("dataset", "fetch", "lab", NAME, "--version", self._expected, "--to", str(fetched), "--quiet")
        assert run_program(self.place.folder, *words).status == 0
        assert tree_of(fetched / f"{NAME}.{self._expected}") == tree_of(self._source)
        manifest = f"{NAME}.{self._expected}.manifest.json"
        assert manifest in visible_keys(store), "the manifest beside the archive is missing"


class Uploading(Scenario):
    """A large file and some small ones, copied to the storage as they are."""

    name = "upload"

    def prepare(self) -> None:
        self._turn = -1
        self._wanted: dict[str, str] = {}

    def begin_turn(self, number: int) -> tuple[str, ...]:
        self._turn = number
        folder = self.base / f"up-{number}"
        write_files(folder, number)
        self._wanted = {f"up-{number}/{path}": digest for path, digest in tree_of(folder).items()}
        return ("copy", str(folder), "lab:", "--quiet")

    def check_visible(self, store: ObjectStore) -> None:
        keys = [key for key in visible_keys(store) if key.startswith(f"up-{self._turn}/")]
        assert {key: digest_of(store, key) for key in keys}.items() <= self._wanted.items()

    def check_done(self, store: ObjectStore) -> None:
        self.check_visible(store)
        assert self._wanted.keys() <= set(visible_keys(store))
        for key in self._wanted:
            store.delete(key)


class Archiving(Scenario):
    """The files of a checksum manifest, into the vault."""

    name = "archive"
    # What a killed run uploaded in its last second has no mark, and Azure only records the digest of a small object.
    ends = Scenario.ends | {"copied, not verified"}

    def prepare(self) -> None:
        self._digests: set[str] = set()

    def begin_turn(self, number: int) -> tuple[str, ...]:
        folder = self.place.folder / f"files-{number}"
        write_files(folder, number)
        names = [f"{folder.name}/{path}" for path in tree_of(folder)]
        words = ("manifest", "--create", "--manifest", f"list-{number}.sha256", *names)
        assert run_program(self.place.folder, *words).status == 0
        self._digests |= set(tree_of(folder).values())
        return ("manifest", "--archive", "--manifest", f"list-{number}.sha256", "--storage", "lab", "--quiet")

    def check_visible(self, store: ObjectStore) -> None:
        for key in visible_keys(store):
            digest = digest_of_key(key, VAULT_PREFIX)
            assert digest in self._digests and digest_of(store, key) == digest, key

    def check_done(self, store: ObjectStore) -> None:
        self.check_visible(store)
        assert {digest_of_key(key, VAULT_PREFIX) for key in visible_keys(store)} == self._digests
        for key in visible_keys(store):
            store.delete(key)
        self._digests = set()


class Fetching(Scenario):
    name = "fetch"

    def prepare(self) -> None:
        self._source = write_source(self.base / "source", 0, size=LARGE)
        assert run_program(self.place.folder, *publish_words(NAME, self._source)).status == 0

    def begin_turn(self, number: int) -> tuple[str, ...]:
        self._into = self.base / f"into-{number}"
        return ("dataset", "fetch", "lab", NAME, "--to", str(self._into), "--quiet")

    def check_visible(self, store: ObjectStore) -> None:
        found = self._into / f"{NAME}.0.0.1"
        assert not found.exists() or tree_of(found) == tree_of(self._source)

    def check_done(self, store: ObjectStore) -> None:
        assert tree_of(self._into / f"{NAME}.0.0.1") == tree_of(self._source)
        assert [path.name for path in self._into.iterdir()] == [f"{NAME}.0.0.1"]


class Verifying(Scenario):
    """Nothing is written: what counts is that no record claims more than was read."""

    name = "verify"

    def prepare(self) -> None:
        self._source = write_source(self.base / "source", 0, size=LARGE)
        assert run_program(self.place.folder, *publish_words(NAME, self._source)).status == 0

    def begin_turn(self, number: int) -> tuple[str, ...]:
        return ("dataset", "verify", "lab", NAME, "--quiet")

    def check_visible(self, store: ObjectStore) -> None:
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]

    def check_done(self, store: ObjectStore) -> None:
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]


SCENARIOS: tuple[type[Scenario], ...] = (Publishing, Uploading, Archiving, Fetching, Verifying)


def write_files(folder: Path, seed: int) -> None:
    """One file of several parts, and small ones; other bytes for each seed."""
    chance = random.Random(seed)
    folder.mkdir(parents=True)
    (folder / "large.bin").write_bytes(chance.randbytes(LARGE))
    for number in range(SMALL_FILES):
        (folder / f"small-{number}.txt").write_text(f"{seed} {number}\n" * (number + 1))


def digest_of(store: ObjectStore, key: str) -> str:
    hasher = hashlib.sha256()
    with store.open(key) as reader:
        while chunk := reader.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()
