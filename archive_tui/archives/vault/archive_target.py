"""A place that files are archived to under their names: `s3://bucket/prefix`, or `STORAGE:PREFIX`."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.archives.storages import Storage, open_storage, storage_names
from archive_tui.errors import ConfigurationError, InvalidName
from archive_tui.names.object_keys import check_key
from archive_tui.objects.object_store import ObjectStore
from archive_tui.settings import Settings, did_you_mean

_SCHEME = "s3://"
_FORMS = "Write s3://bucket/prefix, or STORAGE:PREFIX with a storage of the settings."


@dataclass(frozen=True, slots=True)
class ArchiveTarget:
    """`prefix` is empty or ends in `/`. `storage` None: a bucket that no settings name."""

    store: ObjectStore
    prefix: str
    storage: Storage | None = None

    @property
    def title(self) -> str:
        """For people: the storage's name, or the store's label."""
        return self.storage.name if self.storage is not None else self.store.label

    def key(self, name: str) -> str:
        """Returns the key for the file of that name, without a `./` before it.

        Raises: InvalidName for an absolute name, one that climbs, and what no key can be.
        """
        relative = name
        while relative.startswith("./"):
            relative = relative[2:]
        check_key(relative)
        return check_key(self.prefix + relative)


def open_archive_target(settings: Settings, path: str) -> ArchiveTarget:
    """Opens the place that `path` names; nobody is contacted.

    A bucket is reached through the storage of the settings that lies in it and whose own prefix leads there (the
    longest such prefix wins), else with the credentials that the AWS tools find.

    Raises: ConfigurationError.
    """
    if path.startswith(_SCHEME):
        return _open_bucket(settings, path)
    name, colon, prefix = path.partition(":")
    if not colon:
        names = storage_names(settings)
        near = f"Did you mean {path + ':'!r}? " if path in names else did_you_mean(path, names)
        raise ConfigurationError(f"Not a place to archive to: {path}", hint=f"{near}{_FORMS}")
    storage = open_storage(settings, name)
    return ArchiveTarget(storage.store, _check_prefix(prefix, path), storage)


def _open_bucket(settings: Settings, path: str) -> ArchiveTarget:
    bucket, _, rest = path.removeprefix(_SCHEME).partition("/")
    if not bucket:
        raise ConfigurationError(f"No bucket is named: {path}", hint=_FORMS)
    prefix = _check_prefix(rest, path)
    found = _find_storage(settings, bucket, prefix)
    if found is not None:
        name, own = found
        storage = open_storage(settings, name)
        return ArchiveTarget(storage.store, prefix[len(own) :], storage)
    from archive_tui.objects.s3 import S3Store

    return ArchiveTarget(S3Store(bucket), prefix)


def _find_storage(settings: Settings, bucket: str, prefix: str) -> tuple[str, str] | None:
    """Returns name and own prefix of the storage that reaches furthest into the bucket on the way to `prefix`.

    Raises: ConfigurationError when there are several, on different servers.
    """
    candidates = [
        (name, _as_folder(keys.get("prefix", "")))
        for name, keys in settings.storages.items()
        if keys.get("bucket") == bucket
    ]
    leading = [each for each in candidates if prefix.startswith(each[1])]
    furthest = max((len(own) for _, own in leading), default=0)
    found = [each for each in leading if len(each[1]) == furthest]
    if len({settings.storages[name].get("endpoint_url", "") for name, _ in found}) > 1:
        raise ConfigurationError(
            f"Several servers have a bucket {bucket}: those of {', '.join(name for name, _ in found)}",
            hint="Write STORAGE:PREFIX, with the one that is meant.",
        )
    return found[0] if found else None


def _check_prefix(prefix: str, path: str) -> str:
    folder = _as_folder(prefix)
    try:
        check_key(folder.rstrip("/") or "empty")
    except InvalidName as error:
        raise ConfigurationError(f"Not a place to archive to: {path}: {error}", hint=_FORMS) from error
    return folder


def _as_folder(prefix: str) -> str:
    stripped = prefix.strip("/")
    return f"{stripped}/" if stripped else ""
