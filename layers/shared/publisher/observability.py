"""Logs: JSON lines that carry the ids of what they are about, and nothing secret."""

from functools import cache

from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """Return the function's logger; made on first use, because importing does nothing."""
    return Logger()
