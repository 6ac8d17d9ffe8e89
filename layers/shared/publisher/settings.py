"""The environment of a function, read and checked once. No other module reads it."""

import os
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1)]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]


def _split(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


class Settings(BaseModel):
    """Names of what a function works with, as template.yaml sets them. URLs have no path."""

    model_config = ConfigDict(frozen=True)

    posts_table: Name
    accounts_table: Name
    keys_table: Name
    photo_host_table: Name
    metrics_table: Name
    endpoints_table: Name
    media_bucket: Name
    drop_bucket: Name
    state_machine_arn: Name
    schedule_group: Name
    schedule_target_arn: Name
    schedule_role_arn: Name
    dead_letter_arn: Name
    deliver_arn: Name
    media_probe_arn: Name
    token_key_id: Name
    tiktok_secret_id: Name
    tiktok_api_url: Url
    tiktok_auth_url: Url
    trusted_media_origins: Annotated[tuple[Url, ...], BeforeValidator(_split)] = ()
    public_url: Url | None = None
    ownership_tokens: Annotated[tuple[Token, ...], BeforeValidator(_split)] = ()

    @classmethod
    def from_environment(cls) -> Self:
        """Read each field from the variable of its name; ValidationError names what is missing or wrong."""
        names = {field: field.upper() for field in cls.model_fields}
        return cls.model_validate({field: os.environ[name] for field, name in names.items() if os.environ.get(name)})
