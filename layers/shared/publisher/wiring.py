"""The one place that builds adapters.

Each is imported and built when it is first asked for, so that a cold start pays only for what its request needs.
"""

import time
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from publisher.settings import Settings

if TYPE_CHECKING:
    from publisher import ports


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the epoch second."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Wiring:
    """All ports, done for real."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: ports.Clock = SystemClock()

    @cached_property
    def trusted_media_origins(self) -> tuple[str, ...]:
        """Origins whose media may be fetched although their addresses are not public."""
        return self.settings.trusted_media_origins

    @property
    def tiktok_origins(self) -> tuple[str, ...]:
        """Where TikTok's API is; a sandbox's profiles have their pictures there."""
        return (self.settings.tiktok_api_url,)

    @property
    def public_url(self) -> str | None:
        """The API's root as browsers reach it; None when that is the API's own domain."""
        return self.settings.public_url

    @property
    def ownership_tokens(self) -> tuple[str, ...]:
        """Tokens of the files by which TikTok verifies that the API's address is the operator's."""
        return self.settings.ownership_tokens

    @cached_property
    def posts(self) -> "ports.Posts":
        """The ledger, in DynamoDB."""
        from publisher.aws.posts import DynamoPosts

        return DynamoPosts(self._client("dynamodb"), self.settings.posts_table, self.clock)

    @cached_property
    def events(self) -> "ports.Events":
        """TikTok's events, beside the posts."""
        from publisher.aws.events import DynamoEvents

        return DynamoEvents(self._client("dynamodb"), self.settings.posts_table, self.clock)

    @cached_property
    def accounts(self) -> "ports.Accounts":
        """Accounts, in DynamoDB."""
        from publisher.aws.accounts import DynamoAccounts

        return DynamoAccounts(self._client("dynamodb"), self.settings.accounts_table, self.clock)

    @cached_property
    def slots(self) -> "ports.Slots":
        """What accounts have used of their limits, beside the accounts."""
        from publisher.aws.slots import DynamoSlots

        return DynamoSlots(self._client("dynamodb"), self.settings.accounts_table, self.clock)

    @cached_property
    def schedules(self) -> "ports.Schedules":
        """What starts posts at a time, in EventBridge Scheduler."""
        from publisher.aws.schedules import EventBridgeSchedules

        return EventBridgeSchedules(
            self._client("scheduler"),
            self.settings.schedule_group,
            target=self.settings.schedule_target_arn,
            role=self.settings.schedule_role_arn,
            dead_letter=self.settings.dead_letter_arn,
        )

    @cached_property
    def keys(self) -> "ports.Keys":
        """API keys, in DynamoDB."""
        from publisher.aws.keys import DynamoKeys

        return DynamoKeys(self._client("dynamodb"), self.settings.keys_table, self.clock)

    @cached_property
    def sessions(self) -> "ports.Sessions":
        """Sessions of the dashboard, beside the keys."""
        from publisher.aws.sessions import DynamoSessions

        return DynamoSessions(self._client("dynamodb"), self.settings.keys_table, self.clock)

    @cached_property
    def endpoints(self) -> "ports.Endpoints":
        """Customers' endpoints and deliveries to them, in DynamoDB."""
        from publisher.aws.endpoints import DynamoEndpoints

        return DynamoEndpoints(self._client("dynamodb"), self.settings.endpoints_table, self.clock)

    @cached_property
    def courier(self) -> "ports.Courier":
        """Sending deliveries, by a function of its own."""
        from publisher.aws.courier import LambdaCourier

        return LambdaCourier(self._client("lambda"), self.settings.deliver_arn)

    @cached_property
    def sender(self) -> "ports.Sender":
        """Requests to customers' endpoints."""
        from publisher.sending import Sender

        return Sender(self.settings.trusted_media_origins)

    @cached_property
    def vault(self) -> "ports.Vault":
        """Sealing, with KMS."""
        from publisher.aws.vault import KmsVault

        return KmsVault(self._client("kms"), self.settings.token_key_id)

    @cached_property
    def app_secret(self) -> "ports.AppSecret":
        """The TikTok app, in Secrets Manager."""
        from publisher.aws.app_secret import SecretsManagerApp

        return SecretsManagerApp(self._client("secretsmanager"), self.settings.tiktok_secret_id, self.clock)

    @cached_property
    def metrics(self) -> "ports.Metrics":
        """Figures of accounts and videos, in DynamoDB."""
        from publisher.aws.metrics import DynamoMetrics

        return DynamoMetrics(self._client("dynamodb"), self.settings.metrics_table, self.clock)

    @cached_property
    def media(self) -> "ports.MediaStore":
        """The media bucket, in S3."""
        from publisher.aws.media_store import S3MediaStore

        return S3MediaStore(self._client("s3"), self.settings.media_bucket)

    @cached_property
    def drops(self) -> "ports.Drops":
        """The drop bucket, in S3."""
        from publisher.aws.drops import S3Drops

        return S3Drops(self._client("s3"), self.settings.drop_bucket)

    @cached_property
    def uploads(self) -> "ports.Uploads":
        """Uploaded files, in the media bucket."""
        from publisher.aws.uploads import S3Uploads

        return S3Uploads(self._client("s3"), self.settings.media_bucket, self.clock)

    @cached_property
    def photo_host(self) -> "ports.PhotoHost":
        """The addresses from which TikTok pulls pictures, in DynamoDB."""
        from publisher.aws.photo_host import DynamoPhotoHost

        return DynamoPhotoHost(self._client("dynamodb"), self.settings.photo_host_table, self.clock)

    @cached_property
    def executions(self) -> "ports.Executions":
        """Runs of the machine, in Step Functions."""
        from publisher.aws.executions import StepFunctions

        return StepFunctions(self._client("stepfunctions"), self.settings.state_machine_arn)

    @cached_property
    def fetcher(self) -> "ports.Fetcher":
        """Downloads from customers' addresses."""
        from publisher.fetching import Fetcher

        return Fetcher(self.settings.trusted_media_origins)

    @cached_property
    def prober(self) -> "ports.Prober":
        """Reading containers and headers."""
        from publisher.probing import Prober

        return Prober()

    @cached_property
    def probes(self) -> "ports.MediaProbes":
        """Looking at media elsewhere, by a function without secrets."""
        from publisher.aws.media_probes import LambdaProbes

        return LambdaProbes(self._client("lambda"), self.settings.media_probe_arn)

    @cached_property
    def converter(self) -> "ports.Converter":
        """Making pictures that TikTok takes."""
        from publisher.converting import Converter

        return Converter()

    @cached_property
    def tiktok(self) -> "ports.TikTok":
        """TikTok."""
        from publisher.tiktok.client import TikTokClient
        from publisher.tiktok.transport import Transport

        return TikTokClient(
            api_url=self.settings.tiktok_api_url,
            auth_url=self.settings.tiktok_auth_url,
            app=self.app_secret.app,
            transport=Transport(),
        )

    def _client(self, service: str) -> Any:
        from publisher.aws.clients import client

        return client(service)


@cache
def wired() -> Wiring:
    """Return the ports of this function, made from its environment once."""
    return Wiring(Settings.from_environment())
