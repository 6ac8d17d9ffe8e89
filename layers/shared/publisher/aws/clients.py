"""The AWS clients and how they behave."""

import threading
from typing import Any

import boto3
from botocore.config import Config

from publisher.domain.limits import (
    AWS_ANSWER_SECONDS,
    AWS_CONNECT_SECONDS,
    AWS_TRIES,
    GATEWAY_SECONDS,
    S3_ANSWER_SECONDS,
)

_ONE_MAKER = threading.Lock()
"""boto3's session makes one client at a time; the clients themselves may be used by any number of threads."""


def client(service: str) -> Any:
    """Return a client of an AWS service, for example "dynamodb".

    It tries a call three times; an adapter's writes recognize themselves when the first try was applied and its answer
    was lost. A function is called once, and may take as long as it has.
    """
    config = Config(
        connect_timeout=int(AWS_CONNECT_SECONDS),
        read_timeout=int(AWS_ANSWER_SECONDS),
        retries={"mode": "standard", "total_max_attempts": int(AWS_TRIES)},
    )
    special = {"s3": _media_config, "lambda": _function_config}.get(service)
    with _ONE_MAKER:
        return boto3.client(service, config=config.merge(special()) if special else config)


def _media_config() -> Config:
    """Leave hashing out that costs more than the transfer: the adapter gives each part a CRC-32 of its own.

    An address that is given out names the bucket's own region, because a browser's preflight follows no redirect, and
    is signed by headers too, because S3 takes no checksum that is not.
    """
    return Config(
        read_timeout=int(S3_ANSWER_SECONDS),
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        signature_version="s3v4",
        s3={
            "payload_signing_enabled": False,
            "addressing_style": "virtual",
            "us_east_1_regional_endpoint": "regional",
        },
    )


def _function_config() -> Config:
    return Config(read_timeout=int(GATEWAY_SECONDS), retries={"mode": "standard", "total_max_attempts": 1})
