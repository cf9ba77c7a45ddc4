"""Our signatures are those of botocore, which is the reference."""

from __future__ import annotations

import datetime
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_tui.objects.kept_exchange import host_header
from archive_tui.objects.s3.endpoint import request_target
from archive_tui.objects.s3.signing import RequestSigner

MOMENT = datetime.datetime(2026, 11, 22, 18, 5, 9)
HEADERS = ("x-amz-checksum-mode", "If-None-Match", "x-amz-meta-archive-tui-nonce", "Range")
QUERIES = ("uploadId", "partNumber", "list-type", "prefix", "a", "a-b", "continuation-token")

texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)


def sign_by_botocore(
    method: str, url: str, headers: dict[str, str], digest: str, credentials: Credentials, region: str
) -> dict[str, str]:
    class Signer(botocore.auth.S3SigV4Auth):  # type: ignore[misc, unused-ignore]
        def payload(self, request: AWSRequest) -> str:
            return digest

    request = AWSRequest(method, url, headers=headers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: MOMENT)
        Signer(credentials, "s3", region).add_auth(request)
    return dict(request.headers.items())


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["HEAD", "GET", "PUT", "POST", "DELETE"]),
    st.sampled_from(
        ["http://127.0.0.1:9000/b", "https://b.s3.eu-west-1.amazonaws.com", "https://NAS.example.org:443/base/b",
         "http://[::1]:8333/b", "http://nas.example.org:80/b"]
    ),
    st.text(min_size=0, max_size=20).filter(lambda text: text.isprintable()),
    st.dictionaries(st.sampled_from(QUERIES), texts | st.just("")),
    st.dictionaries(st.sampled_from(HEADERS), texts.map(str.strip)),
    st.none() | st.just("session-token=="),
    st.sampled_from(["us-east-1", "eu-north-1"]),
)  # fmt: skip
def test_signature_is_that_of_botocore(
    method: str, url: str, key: str, query: dict[str, str], headers: dict[str, str], token: str | None, region: str
) -> None:
    credentials = Credentials("key-id", "secret/key+x", token)
    target = request_target(url, key, query)
    expected = sign_by_botocore(method, target, headers, "ab" * 32, credentials, region)
    now = MOMENT.replace(tzinfo=datetime.UTC).timestamp()
    signed = RequestSigner().sign(
        method, target, headers, "ab" * 32,
        credentials=credentials.get_frozen_credentials(), region=region, now=now,
    )  # fmt: skip
    assert signed == expected


def test_key_is_derived_anew_when_secret_day_or_region_change() -> None:
    signer = RequestSigner()

    def signature(secret: str, region: str, now: float) -> str:
        credentials = Credentials("key-id", secret).get_frozen_credentials()
        headers = signer.sign("GET", "http://host/b/", {}, "00", credentials=credentials, region=region, now=now)
        fresh = RequestSigner().sign("GET", "http://host/b/", {}, "00", credentials=credentials, region=region, now=now)
        assert headers == fresh
        return headers["Authorization"]

    day = 86_400.0
    seen = [signature(*case) for case in (("a", "r", 0), ("b", "r", 0), ("a", "q", 0), ("a", "r", day), ("a", "r", 0))]
    assert len(set(seen)) == 4


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://host/x", "host"), ("https://host:443/x", "host"), ("https://host:80/x", "host:80"),
        ("http://host:80", "host"), ("http://[::1]:9/x", "[::1]:9"), ("http://HOST", "host"),
    ],
)  # fmt: skip
def test_host_header(url: str, host: str) -> None:
    assert host_header(urlsplit(url)) == host
