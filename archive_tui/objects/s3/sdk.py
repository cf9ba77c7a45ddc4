"""The SDK's own client for the same bucket, for what the interface of a store does not offer."""

from __future__ import annotations

from typing import Any

from archive_tui.objects.s3.endpoint import S3Options


def make_sdk_client(options: S3Options) -> Any:
    """Returns a boto3 S3 client; it contacts nobody until it is used. Keys that are absent are the SDK's to find.

    Raises: botocore's own errors, for a profile that does not exist or half a pair of credentials.
    """
    import boto3
    from botocore.config import Config

    session = boto3.Session(
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret_access_key,
        aws_session_token=options.session_token,
        profile_name=options.profile_name,
        region_name=options.region_name or ("us-east-1" if options.endpoint_url else None),
    )
    checksums = {}
    if options.checksums is not None:
        checksums = {
            "request_checksum_calculation": options.checksums,
            "response_checksum_validation": options.checksums,
        }
    config = Config(**checksums)  # type: ignore[arg-type]
    return session.client("s3", endpoint_url=options.endpoint_url, config=config)
