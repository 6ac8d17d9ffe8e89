"""What the API takes and answers about webhooks."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, StrictBool, StrictStr
from pydantic.alias_generators import to_camel

from publisher.api import ApiModel, iso
from publisher.domain.endpoints import TYPES, Delivery, DeliveryState, Endpoint, Try
from publisher.ports import DeliveryPage


class WebhookRequest(ApiModel):
    """Body of POST /v2/webhooks; without `events` it is told everything."""

    url: StrictStr | None = None
    events: list[StrictStr] | None = None


class EditWebhookRequest(ApiModel):
    """Body of PATCH of a webhook; what is left out stays."""

    url: StrictStr | None = None
    events: list[StrictStr] | None = None
    enabled: StrictBool | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class WebhookAnswer(_Answer):
    """A webhook; its secrets are known to its holder alone."""

    webhook_id: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    disabled_at: str | None
    disabled_reason: str | None
    last_delivered_at: str | None
    former_secret_until: str | None
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, endpoint: Endpoint) -> "WebhookAnswer":
        """Show an endpoint."""
        return cls(
            webhook_id=endpoint.endpoint_id,
            url=endpoint.url,
            events=endpoint.types or TYPES,
            enabled=endpoint.disabled_at is None,
            disabled_at=_iso_or_none(endpoint.disabled_at),
            disabled_reason=endpoint.disabled_because or None,
            last_delivered_at=_iso_or_none(endpoint.took_at),
            former_secret_until=_iso_or_none(endpoint.former_until or None),
            created_at=iso(endpoint.created_at),
            updated_at=iso(endpoint.updated_at),
        )


class NewWebhookAnswer(WebhookAnswer):
    """A webhook with its new secret: the only time that it is shown."""

    secret: str

    @classmethod
    def of_new(cls, endpoint: Endpoint, secret: SecretStr) -> "NewWebhookAnswer":
        """Show an endpoint with its secret."""
        return cls.model_validate({**WebhookAnswer.of(endpoint).model_dump(), "secret": secret.get_secret_value()})


class WebhookList(_Answer):
    """What GET /v2/webhooks answers."""

    webhooks: list[WebhookAnswer]

    @classmethod
    def of(cls, endpoints: Sequence[Endpoint]) -> "WebhookList":
        """Show endpoints."""
        return cls(webhooks=[WebhookAnswer.of(endpoint) for endpoint in endpoints])


class RemovedWebhookAnswer(_Answer):
    """What DELETE of a webhook answers."""

    success: Literal[True] = True
    webhook_id: str
    message: str = "The webhook is removed; nothing more is sent to it."

    @classmethod
    def of(cls, endpoint: Endpoint) -> "RemovedWebhookAnswer":
        """Say which one is removed."""
        return cls(webhook_id=endpoint.endpoint_id)


class TryAnswer(_Answer):
    """One request of a delivery; without `status` there was no answer, and `error` says why."""

    at: str
    status: int | None
    milliseconds: int
    error: str | None

    @classmethod
    def of(cls, attempt: Try) -> "TryAnswer":
        """Show a try."""
        said = attempt.model_dump(include={"status", "milliseconds", "error"})
        return cls.model_validate({**said, "at": iso(attempt.at)})


class DeliveryAnswer(_Answer):
    """A notice on its way to a webhook; `delivery_id` is what stands in its header webhook-id."""

    delivery_id: str
    type: str
    state: DeliveryState
    created_at: str
    next_try_at: str | None
    tries: list[TryAnswer]

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryAnswer":
        """Show a delivery."""
        return cls(
            delivery_id=delivery.notice_id,
            type=delivery.type,
            state=delivery.state,
            created_at=iso(delivery.created_at),
            next_try_at=_iso_or_none(delivery.watch_at),
            tries=[TryAnswer.of(attempt) for attempt in delivery.tries],
        )


class DeliveryList(_Answer):
    """What GET of a webhook's deliveries answers; `cursor` is where the next page begins."""

    deliveries: list[DeliveryAnswer]
    cursor: str | None

    @classmethod
    def of(cls, page: DeliveryPage) -> "DeliveryList":
        """Show a page."""
        return cls(deliveries=[DeliveryAnswer.of(one) for one in page.deliveries], cursor=page.cursor)


def _iso_or_none(at: float | None) -> str | None:
    return None if at is None else iso(at)
