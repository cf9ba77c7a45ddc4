"""Where a bucket is reached: names, regions and URLs. No network."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from archive_tui.errors import ConfigurationError

DEFAULT_REGION = "us-east-1"

_VIRTUAL_HOST_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}", re.ASCII)
_DOMAINS = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
_CHECKSUM_MODES = ("when_supported", "when_required")


@dataclass(frozen=True, slots=True)
class S3Options:
    """The keys of a storage section. None or empty: the SDK's own chain decides (environment, profile, role).

    `prefix` ends in `/` or is empty. `checksums`: `when_required` never sends checksum headers, `when_supported`
    always does, None finds out. Secrets are kept out of the repr."""

    bucket: str
    prefix: str = ""
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    profile_name: str | None = None
    region_name: str | None = None
    endpoint_url: str | None = None
    checksums: str | None = None

    @property
    def is_aws(self) -> bool:
        return self.endpoint_url is None

    @property
    def place(self) -> str:
        """The endpoint without scheme and user: `aws`, or `host:port`."""
        if self.endpoint_url is None:
            return "aws"
        parts = urlsplit(self.endpoint_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname}{port}{parts.path.rstrip('/')}"


def environment_endpoint() -> str | None:
    """The endpoint that the SDK's environment variables name, if any."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def check_options(options: S3Options) -> S3Options:
    """Returns the options as they are.

    Raises: ConfigurationError for what could never work: bucket name, endpoint, half a key pair, unknown switch.
    """
    if _BUCKET.fullmatch(options.bucket) is None:
        raise ConfigurationError(f"Not a bucket name: {options.bucket!r}", hint="Set `bucket` in the storage section.")
    if options.endpoint_url is not None:
        _check_endpoint(options.endpoint_url)
    if (options.access_key_id is None) != (options.secret_access_key is None):
        raise ConfigurationError(
            "Only one of aws_access_key_id and aws_secret_access_key is set.",
            hint="Set both, or neither: then the credentials of your AWS profile or environment are used.",
        )
    if options.checksums not in (None, *_CHECKSUM_MODES):
        raise ConfigurationError(
            f"Unknown value of checksums: {options.checksums!r}", hint=f"Use one of: {', '.join(_CHECKSUM_MODES)}."
        )
    return options


def _check_endpoint(endpoint_url: str) -> None:
    try:
        parts = urlsplit(endpoint_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    else:
        usable = usable and parts.username is None and parts.password is None
    if not usable:
        raise ConfigurationError(
            "The endpoint_url is no http:// or https:// address (or holds a user name).",
            hint="Write it as https://s3.example.org, or http://127.0.0.1:9000 for a server of your own.",
        )


def normalise_prefix(prefix: str) -> str:
    """`a/b`, `/a/b/` and `a/b/` are the same prefix, `a/b/`; empty stays empty."""
    stripped = prefix.strip("/")
    return f"{stripped}/" if stripped else ""


def aws_hostname(region: str, partition: str) -> str:
    """Returns the host that serves S3 in a region of AWS, in whichever of its partitions."""
    return f"s3.{region}.{_DOMAINS.get(partition, 'amazonaws.com')}"


def bucket_url(options: S3Options, aws_hostname: str) -> str:
    """Returns the URL of the bucket without a final `/`; buckets with dots do not fit the certificates of AWS."""
    if options.endpoint_url is not None:
        return f"{options.endpoint_url.rstrip('/')}/{options.bucket}"
    if _VIRTUAL_HOST_BUCKET.fullmatch(options.bucket):
        return f"https://{options.bucket}.{aws_hostname}"
    return f"https://{aws_hostname}/{options.bucket}"


def request_target(url: str, key: str, query: dict[str, str]) -> str:
    """Returns the full URL; the key and query are quoted as signature version 4 wants them."""
    path = quote(key, safe="/-_.~")
    words = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(query.items()))
    return f"{url}/{path}{'?' if words else ''}{words}"
