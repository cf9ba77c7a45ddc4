"""A vault is a place in a store where contents lie under their digests."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.archives.storages import EMBEDDED, Storage, open_storage
from archive_tui.errors import ConfigurationError
from archive_tui.names.content_address import VAULT_PREFIX, content_key
from archive_tui.objects.object_store import ObjectReader, ObjectStore
from archive_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class Vault:
    """`prefix` is empty or ends in `/`. `storage` None: a store that no settings name."""

    store: ObjectStore
    prefix: str = VAULT_PREFIX
    storage: Storage | None = None

    @property
    def title(self) -> str:
        """For people: the storage's name, or the store's label."""
        return self.storage.name if self.storage is not None else self.store.label

    def key(self, digest: str) -> str:
        """Returns the key of the content in the store."""
        return content_key(digest, self.prefix)

    def open(self, digest: str) -> ObjectReader:
        """Opens a content for reading. Raises: ObjectNotFound; what else the store raises."""
        return self.store.open(self.key(digest))


def open_vault(settings: Settings, storage_name: str | None = None) -> Vault:
    """Opens the vault in the storage of that name; without one in the storage that the settings call the vault
    (`vault` in `[archive-tui]`), else in the embedded archive. Its prefix is `vault_prefix`, or `object/`. Nobody is
    contacted.

    Raises: ConfigurationError.
    """
    name = storage_name or settings.program.get("vault") or EMBEDDED
    storage = open_storage(settings, name)
    return Vault(storage.store, vault_prefix(settings), storage)


def vault_prefix(settings: Settings) -> str:
    """Raises: ConfigurationError for a prefix that no key can begin with."""
    prefix = settings.program.get("vault_prefix", VAULT_PREFIX).strip()
    if any(segment in ("", ".", "..") for segment in prefix.rstrip("/").split("/")) and prefix.rstrip("/"):
        raise ConfigurationError(
            f"[archive-tui] vault_prefix cannot be used: {prefix}", hint="Write something like object/ (the default)."
        )
    return f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
