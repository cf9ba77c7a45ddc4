"""The Azure store keeps every guarantee of an object store, on Azurite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from azure.core.exceptions import ResourceNotFoundError

from archive_tui.objects.azure.store import AzureStore
from archive_tui.objects.object_store import ObjectStore
from tests.conformance.object_store_suite import MIB, ObjectStoreSuite
from tests.objects.azure_faults import LostReplies, counting_blocks
from tests.servers.azurite import ACCOUNT_KEY, AzuriteServer


class _AzureParts:
    """How the tests see the blocks of the service."""

    continues_uploads = True
    keeps_discarded = True

    def parts_at(self, store: AzureStore, key: str) -> set[int]:
        blob = store._blob(store._prefix + key)
        try:
            return {int(block.id[16:24]) for block in blob.get_block_list("uncommitted")[1]}
        except ResourceNotFoundError:
            return set()

    def counting_parts(self, store: AzureStore) -> AbstractContextManager[list[int]]:
        return counting_blocks()


AZURE_REFUSES = frozenset({"dots at the end...", "back\\slash.txt"})


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages with few objects: the emulator takes its time for thousands."""
    monkeypatch.setattr("archive_tui.objects.azure.listing.PAGE_SIZE", 50)


class TestAzureStore(_AzureParts, ObjectStoreSuite):
    is_remote = True
    many_keys = 220
    large_size = 20 * MIB
    memory_limit = 64 * MIB  # four blocks of 8 MiB under way, one being filled, and copies in the SDK
    refused_keys = AZURE_REFUSES
    secrets = (ACCOUNT_KEY,)

    @pytest.fixture
    def store(self, azurite_server: AzuriteServer) -> Iterator[AzureStore]:
        with AzureStore(azurite_server.new_container(), conn_str=azurite_server.conn_str) as store:
            yield store

    def losing_replies(self, store: ObjectStore) -> AbstractContextManager[object]:
        return LostReplies()

    def failing_commits(self, store: ObjectStore) -> AbstractContextManager[object]:
        store.probe()
        return LostReplies(service_acts=False)


class TestAzureStoreBelowAPrefix(_AzureParts, ObjectStoreSuite):
    """The same container serves two stores; neither sees the other."""

    is_remote = True
    many_keys = 60
    memory_size = 40 * MIB
    memory_limit = 64 * MIB
    refused_keys = AZURE_REFUSES

    @pytest.fixture
    def store(self, azurite_server: AzuriteServer) -> Iterator[AzureStore]:
        container = azurite_server.new_container()
        with AzureStore(container, conn_str=azurite_server.conn_str, prefix="pre fix") as other:
            other.put("neighbour", [b"of another store"])
        with AzureStore(container, conn_str=azurite_server.conn_str, prefix="/pre fix/inner/") as store:
            yield store

    def losing_replies(self, store: ObjectStore) -> AbstractContextManager[object]:
        return LostReplies()

    def failing_commits(self, store: ObjectStore) -> AbstractContextManager[object]:
        store.probe()
        return LostReplies(service_acts=False)
