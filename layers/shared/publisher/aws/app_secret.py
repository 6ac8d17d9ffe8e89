"""The TikTok app in Secrets Manager."""

from typing import Any

from botocore.exceptions import ClientError
from pydantic import ValidationError

from publisher.aws.calls import aws_call
from publisher.domain.errors import ServiceUnavailable
from publisher.domain.limits import APP_SECRET_CACHE_SECONDS
from publisher.ports import Clock, TikTokApp

_WHAT_TO_DO = (
    'Tell the operator to store {"client_key":"…","client_secret":"…"} in the secret that the stack\'s output '
    "TikTokSecretName names."
)


class SecretsManagerApp:
    """The port AppSecret. `client` is a boto3 client of Secrets Manager."""

    def __init__(self, client: Any, secret_id: str, clock: Clock) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._cached: TikTokApp | None = None
        self._cached_until = 0.0

    def app(self) -> TikTokApp:
        """Return the app, as it was stored at most five minutes ago."""
        if self._cached is None or self._cached_until <= self._clock.now():
            self._cached = self._read()
            self._cached_until = self._clock.now() + APP_SECRET_CACHE_SECONDS
        return self._cached

    def _read(self) -> TikTokApp:
        try:
            with aws_call("Secrets Manager", "ResourceNotFoundException"):
                text = self._client.get_secret_value(SecretId=self._secret_id).get("SecretString", "")
        except ClientError:
            raise ServiceUnavailable("No TikTok app is stored.", _WHAT_TO_DO) from None
        try:
            return TikTokApp.model_validate_json(text)
        except ValidationError:
            # Not in the chain: its text holds what was stored.
            raise ServiceUnavailable("The stored TikTok app cannot be read.", _WHAT_TO_DO) from None
