"""A running S3 server, as the tests see it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class S3Server:
    """`access_key` and `secret_key` are throw-away; `endpoint_url` is on loopback."""

    name: str
    endpoint_url: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str = "us-east-1"

    def settings(self) -> dict[str, str]:
        """The keys of a storage section that reach this server."""
        return {
            "endpoint_url": self.endpoint_url,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "region_name": self.region,
        }

    def client(self) -> Any:
        """A plain boto3 client: the stranger that looks at what the store has really done."""
        import boto3
        from botocore.config import Config

        calm = Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"},
            max_pool_connections=64,
        )
        return boto3.client("s3", config=calm, **self.settings())

    def new_bucket(self) -> str:
        bucket = f"test-{uuid.uuid4().hex[:16]}"
        client = self.client()
        client.create_bucket(Bucket=bucket)
        client.close()
        return bucket
