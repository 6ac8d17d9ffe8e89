"""The AWS clients and how they behave."""

from typing import Any

import boto3
from botocore.config import Config

_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 2, 10, 3
_S3_READ_SECONDS = 60


def client(service: str) -> Any:
    """Return a client of an AWS service, for example "dynamodb".

    It tries a call three times; an adapter's writes recognize themselves when the first try was applied and its answer
    was lost.
    """
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
    )
    return boto3.client(service, config=config.merge(_media_config()) if service == "s3" else config)


def _media_config() -> Config:
    """Leave hashing out that costs more than the transfer: the adapter gives each part a CRC-32 of its own."""
    return Config(
        read_timeout=_S3_READ_SECONDS,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"payload_signing_enabled": False},
    )
