"""What an S3 store is before it has spoken to anybody: settings, credentials, identity, secrets, imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archive_tui.errors import AccessDenied, ConfigurationError, InvalidName, StorageError
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.object_store import ObjectInfo, Prefix, Support
from archive_tui.objects.s3 import S3Store
from archive_tui.objects.s3.endpoint import S3Options, aws_hostname, bucket_url, request_target
from archive_tui.objects.s3.probing import forget_facts
from tests.conformance.object_store_suite import put_bytes, read_all
from tests.servers.s3_server import S3Server

DUMMY = {"aws_access_key_id": "dummy-key-id", "aws_secret_access_key": "dummy-secret"}


def test_importing_and_building_loads_no_sdk() -> None:
    program = (
        "import sys\n"
        "from archive_tui.objects.s3 import S3Store\n"
        "S3Store('bucket', aws_access_key_id='a', aws_secret_access_key='b').traits\n"
        "loaded = {'boto3', 'botocore', 'obstore', 'urllib3', 'azure'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_secrets_do_not_show() -> None:
    store = S3Store("bucket", aws_session_token="dummy-token", endpoint_url="https://s3.example.org", **DUMMY)
    shown = repr(store) + str(store) + store.label + store.identity + repr(store._options) + repr(vars(store))
    for secret in ("dummy-secret", "dummy-key-id", "dummy-token"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("settings", "identity", "label"),
    [
        ({}, "s3://aws/bucket", "s3 bucket"),
        ({"prefix": "/a/b/"}, "s3://aws/bucket/a/b", "s3 bucket/a/b"),
        ({"endpoint_url": "http://127.0.0.1:9000/"}, "s3://127.0.0.1:9000/bucket", "s3 bucket"),
        ({"endpoint_url": "https://s3.example.org", "prefix": "p"}, "s3://s3.example.org/bucket/p", "s3 bucket/p"),
    ],
)
def test_label_and_identity(settings: dict[str, str], identity: str, label: str) -> None:
    store = S3Store("bucket", **settings, **DUMMY)
    assert (store.identity, store.label) == (identity, label)


def test_endpoint_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://nas.example.org")
    assert S3Store("bucket").identity == "s3://nas.example.org/bucket"


@pytest.mark.parametrize(
    "settings",
    [
        {"bucket": ""},
        {"bucket": "a/b"},
        {"bucket": "bucket", "endpoint_url": "s3.example.org"},
        {"bucket": "bucket", "endpoint_url": "ftp://s3.example.org"},
        {"bucket": "bucket", "endpoint_url": "https://user:pass@s3.example.org"},
        {"bucket": "bucket", "endpoint_url": "http://host:port"},
        {"bucket": "bucket", "checksums": "sometimes"},
        {"bucket": "bucket", "aws_access_key_id": "a"},
        {"bucket": "bucket", "aws_secret_access_key": "a"},
    ],
)
def test_settings_that_could_never_work(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        S3Store(**settings)  # type: ignore[arg-type]
    assert caught.value.hint
    assert "pass@" not in str(caught.value)


def test_no_credentials_anywhere() -> None:
    with pytest.raises(AccessDenied) as caught:
        S3Store("bucket").info("key")
    assert caught.value.code == "no-credentials"


def test_unknown_profile() -> None:
    with pytest.raises(ConfigurationError, match="nobody"):
        S3Store("bucket", profile_name="nobody").info("key")


def test_credentials_of_a_profile(isolated_home: Path, seaweedfs_server: S3Server) -> None:
    (isolated_home / ".aws").mkdir()
    (isolated_home / ".aws" / "credentials").write_text(
        f"[lab]\naws_access_key_id = {seaweedfs_server.access_key}\n"
        f"aws_secret_access_key = {seaweedfs_server.secret_key}\n"
    )
    with S3Store(
        seaweedfs_server.new_bucket(), endpoint_url=seaweedfs_server.endpoint_url, profile_name="lab"
    ) as store:
        put_bytes(store, "key")
        assert read_all(store, "key") == b"content"


@pytest.mark.parametrize(
    ("key", "secret"), [("nobody-at-all", "dummy-secret"), (None, "dummy-secret")], ids=["unknown key", "wrong secret"]
)
def test_wrong_credentials(seaweedfs_server: S3Server, key: str | None, secret: str) -> None:
    store = S3Store(
        "bucket",
        endpoint_url=seaweedfs_server.endpoint_url,
        aws_access_key_id=key or seaweedfs_server.access_key,
        aws_secret_access_key=secret,
    )
    for act in (lambda: put_bytes(store, "a"), lambda: list(store.list()), lambda: read_all(store, "a")):
        with pytest.raises(AccessDenied) as caught:
            act()
        assert caught.value.hint
        assert "dummy-secret" not in str(caught.value) + caught.value.hint


def test_missing_bucket_is_named(seaweedfs_server: S3Server, moto_server: S3Server) -> None:
    for server in (seaweedfs_server, moto_server):
        store = S3Store("no-such-bucket", **server.settings())
        acts = (
            lambda store=store: store.info("a"),
            lambda store=store: read_all(store, "a"),
            lambda store=store: list(store.list()),
        )
        for act in acts:
            with pytest.raises(StorageError, match="no-such-bucket") as caught:
                act()
            assert caught.value.code == "no-such-bucket"
            assert "archive-tui storage test" in caught.value.hint


def test_prefix_is_transparent(seaweedfs_server: S3Server) -> None:
    bucket = seaweedfs_server.new_bucket()
    outer = S3Store(bucket, **seaweedfs_server.settings())
    inner = S3Store(bucket, prefix="lab/data", **seaweedfs_server.settings())
    put_bytes(outer, "lab/database.txt")
    put_bytes(inner, "a/b.txt")
    assert [entry.key for entry in inner.list()] == ["a/b.txt"]
    assert list(inner.list(recursive=False)) == [Prefix("a/")]
    assert sorted(entry.key for entry in outer.list()) == ["lab/data/a/b.txt", "lab/database.txt"]
    assert inner.info("a/b.txt").key == "a/b.txt"


def test_digest_is_attested_or_recorded(seaweedfs_server: S3Server, moto_server: S3Server) -> None:
    for server, level in ((seaweedfs_server, EvidenceLevel.ATTESTED), (moto_server, EvidenceLevel.READ)):
        with S3Store(server.new_bucket(), **server.settings()) as store:
            result = put_bytes(store, "key")
            assert result.evidence.level is level
            assert store.info("key").digest == result.info.digest
            assert store.info("key").attested == (level is EvidenceLevel.ATTESTED)


def test_checksum_headers_can_be_switched_off(seaweedfs_server: S3Server) -> None:
    store = S3Store(seaweedfs_server.new_bucket(), checksums="when_required", **seaweedfs_server.settings())
    traits = store.probe()
    assert traits.attests_digest is Support.NO
    assert put_bytes(store, "key").evidence.level is EvidenceLevel.READ
    client = seaweedfs_server.client()
    head = client.head_object(Bucket=store._options.bucket, Key="key", ChecksumMode="ENABLED")
    client.close()
    assert "ChecksumSHA256" not in head


def test_probe_asks_once(seaweedfs_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = seaweedfs_server.settings()
    bucket = seaweedfs_server.new_bucket()
    traits = S3Store(bucket, **settings).probe()
    second = S3Store(bucket, **settings)
    monkeypatch.setattr(second._connection, "send_once", lambda *words, **options: pytest.fail("asked again"))
    assert second.probe() == second.traits == traits


def test_aws_is_known_without_asking() -> None:
    forget_facts()
    traits = S3Store("bucket", **DUMMY).traits
    assert (traits.create_only, traits.attests_digest, traits.conditional_replace) == (Support.YES,) * 3


@pytest.mark.parametrize(
    ("bucket", "region", "partition", "url"),
    [
        ("bucket", "eu-west-1", "aws", "https://bucket.s3.eu-west-1.amazonaws.com"),
        ("with.dot", "eu-west-1", "aws", "https://s3.eu-west-1.amazonaws.com/with.dot"),
        ("bucket", "cn-north-1", "aws-cn", "https://bucket.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_addresses_of_aws(bucket: str, region: str, partition: str, url: str) -> None:
    assert bucket_url(S3Options(bucket), aws_hostname(region, partition)) == url


def test_target_is_quoted_for_the_signature() -> None:
    target = request_target("http://h/b", "a b+c%/é~_-.", {"z": "", "a": "x y/z"})
    assert target == "http://h/b/a%20b%2Bc%25/%C3%A9~_-.?a=x%20y%2Fz&z="


def test_foreign_keys_are_listed_and_folder_markers_are_not(moto_server: S3Server) -> None:
    bucket, client = moto_server.new_bucket(), moto_server.client()
    foreign = ["x" * 300, ".archive-tui", "mark/"]
    for key in foreign:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    client.close()
    store = S3Store(bucket, **moto_server.settings())
    found = [entry.key for entry in store.list() if isinstance(entry, ObjectInfo)]
    assert sorted(found) == sorted(key for key in foreign if key != "mark/")
    with pytest.raises(InvalidName):
        store.open("x" * 300)
