"""Settings of an Azure storage: judged without the network, without a library, and without repeating a secret."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import ConfigurationError, InvalidName
from archive_tui.objects.azure.connection import parse_account_url, parse_connection_string
from archive_tui.objects.azure.errors import redact_secrets
from archive_tui.objects.azure.names import name_for_reading, name_for_writing
from archive_tui.objects.azure.store import AzureStore
from archive_tui.objects.azure.upload import BLOCK_SIZE, cut_blocks, find_block_size

KEY = "bm90IGEgcmVhbCBrZXk="
PORTAL = f"DefaultEndpointsProtocol=https;AccountName=lab;AccountKey={KEY};EndpointSuffix=core.windows.net"


def test_the_form_of_the_portal() -> None:
    endpoint = parse_connection_string(PORTAL)
    assert (endpoint.account, endpoint.url) == ("lab", "https://lab.blob.core.windows.net")
    assert endpoint.account_key == KEY
    assert endpoint.is_public_cloud
    assert KEY not in repr(endpoint)


def test_a_given_credential_replaces_the_one_inside() -> None:
    assert parse_connection_string(PORTAL, "b3RoZXI=").account_key == "b3RoZXI="
    with_sas = parse_connection_string(PORTAL, "?sv=1&sig=x")
    assert (with_sas.account_key, with_sas.sas) == (None, "sv=1&sig=x")


def test_an_address_with_a_signature() -> None:
    endpoint = parse_account_url("https://lab.blob.core.windows.net/?sv=1&sig=abc%3D")
    assert (endpoint.account, endpoint.url, endpoint.sas) == (
        "lab",
        "https://lab.blob.core.windows.net",
        "sv=1&sig=abc%3D",
    )


def test_places_have_names_that_differ() -> None:
    assert AzureStore("climate", conn_str=PORTAL).identity == "azure://lab/climate"
    assert AzureStore("climate", conn_str=PORTAL, prefix="/raw/").identity == "azure://lab/climate/raw"
    assert AzureStore("climate", conn_str=PORTAL).label == "azure lab/climate"
    private = AzureStore("climate", account_url="http://10.0.0.5:10000/lab")
    assert private.identity == "azure://10.0.0.5:10000/lab/climate"


def test_the_emulators_short_form() -> None:
    endpoint = parse_connection_string("UseDevelopmentStorage=true")
    assert (endpoint.account, endpoint.url) == ("devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1")
    store = AzureStore("climate", conn_str="UseDevelopmentStorage=true")
    assert store._connection.container_client.url == "http://127.0.0.1:10000/devstoreaccount1/climate"
    store.close()


def test_the_environment_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", PORTAL)
    assert AzureStore("climate").identity == "azure://lab/climate"
    assert AzureStore("climate", account_url="https://other.blob.core.windows.net").identity == "azure://other/climate"


@pytest.mark.parametrize(
    "settings",
    [
        {"conn_str": "Secret-Value"},
        {"conn_str": "AccountKey=Secret-Value"},
        {"conn_str": "AccountName=lab;Secret-Value"},
        {"conn_str": "BlobEndpoint=ftp://Secret-Value/x;AccountName=lab"},
        {"conn_str": "https://[Secret-Value"},
        {},
        {"conn_str": PORTAL, "container": "Not A Container"},
        {"conn_str": PORTAL, "container": "ab"},
        {"conn_str": PORTAL, "container": "double--hyphen"},
    ],
)
def test_bad_settings_are_said_on_first_use_and_never_repeated(settings: dict[str, str]) -> None:
    settings = dict(settings)
    container = settings.pop("container", "climate")
    with AzureStore(container, **settings) as store:
        for act in (store.probe, lambda: list(store.list()), lambda: store.info("k"), lambda: store.put("k", [b"x"])):
            with pytest.raises(ConfigurationError) as caught:
                act()
            assert caught.value.hint
            cause = caught.value.__cause__
            assert "Secret-Value" not in str(caught.value) + caught.value.hint + str(cause or "")
        assert "Secret-Value" not in store.label + store.identity + repr(store)


def test_the_login_of_the_machine_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with (
        AzureStore("climate", account_url="https://lab.blob.core.windows.net", credential="default") as store,
        pytest.raises(ConfigurationError) as caught,
    ):
        store.info("key")
    assert "pip install azure-identity" in caught.value.hint


def test_no_library_is_loaded_before_it_is_used() -> None:
    program = (
        "import sys\n"
        "from archive_tui.objects.azure.store import AzureStore\n"
        f"AzureStore('climate', conn_str={PORTAL!r}).traits\n"
        "print([name for name in ('azure', 'azure.core', 'obstore', 'requests', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_that_azure_would_change_are_refused() -> None:
    for key in ("a.", "a./b", "a\\b"):
        with pytest.raises(InvalidName) as caught:
            name_for_writing("", key)
        assert caught.value.code in ("key-azure-dot", "key-azure-backslash")
    with pytest.raises(InvalidName):
        name_for_writing("p" * 600 + "/", "/".join(["k" * 200] * 3))
    assert name_for_writing("pre/", "key.zip") == "pre/key.zip"


@pytest.mark.parametrize("key", ["", "..", "a/../../other/x", "a\\b", "bad\udc80"])
def test_names_that_lead_elsewhere_are_not_read(key: str) -> None:
    with pytest.raises(InvalidName):
        name_for_reading("", key)


def test_secrets_are_taken_out_of_texts() -> None:
    text = "GET /c/b?sv=1&sig=aBc%3D&se=2 AccountKey=xyz==;More"
    assert redact_secrets(text) == "GET /c/b?sv=1&sig=…&se=2 AccountKey=…;More"


@given(st.lists(st.integers(0, 40), max_size=30))
def test_blocks_hold_the_stream_in_order(lengths: list[int]) -> None:
    content = bytes(range(256)) * 8
    chunks, position = [], 0
    for length in lengths:
        chunks.append(memoryview(content)[position : position + length])
        position += length
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archive_tui.objects.azure.upload.BLOCK_SIZE", 16)
        blocks = list(cut_blocks(chunks, None))
    assert b"".join(blocks) == content[:position]
    assert all(len(block) == 16 for block in blocks[:-1])
    assert all(0 < len(block) <= 16 for block in blocks)


def test_fifty_thousand_blocks_are_always_enough() -> None:
    for size in (1, BLOCK_SIZE * 45_000, BLOCK_SIZE * 45_000 + 1, 190 << 40):
        assert -(-size // find_block_size(0, size)) <= 50_000
    assert sum(find_block_size(number, None) for number in range(50_000)) > 4 << 40
    assert find_block_size(0, 100) == find_block_size(0, None) == BLOCK_SIZE
