"""Endpoints, notices and deliveries by themselves: what is signed, when is tried again, and what may be called."""

import base64
import hmac
import json
import time
from itertools import accumulate

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from publisher.domain.accounts import AccountState
from publisher.domain.endpoints import (
    TEST,
    TYPE_OF_POST,
    TYPES,
    DeliveryState,
    Try,
    begun_again,
    check_endpoint_url,
    delivery_of,
    disabled,
    enabled,
    new_secret,
    notice_id,
    rotated,
    signed,
    took,
    tried,
)
from publisher.domain.errors import InvalidRequest
from publisher.domain.limits import DELIVERY_WAITS_SECONDS
from publisher.domain.posts import TERMINAL
from publisher.use_cases.tell_endpoints import notice_of
from tests.builders import NOW, a_delivery, an_endpoint

FAILED = Try(at=NOW, status=500, milliseconds=3, error="It answered 500.")
TAKEN = Try(at=NOW, status=200, milliseconds=3)


def verified(headers: dict[str, str], body: str, secret: SecretStr) -> object:
    """What an implementation that is not ours reads from a request."""
    return Webhook(secret.get_secret_value()).verify(body, headers)


# Types
def test_every_outcome_of_a_post_and_every_state_of_an_account_has_a_type():
    assert set(TYPE_OF_POST) == TERMINAL
    assert set(TYPES) == {*TYPE_OF_POST.values(), *(f"account.{state}" for state in AccountState)}
    assert TEST not in TYPES


# Signatures
def test_another_implementation_accepts_what_we_sign():
    secret, now = new_secret(), time.time()
    notice = notice_of(notice_id("post", 1), "post.failed", now, {"text": "Grüße 🐇", "n": 1.5})
    delivery = delivery_of(notice, an_endpoint(), now)
    headers = signed(delivery, [secret], now)
    told = verified(headers, delivery.body, secret)
    assert told == json.loads(delivery.body)
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert headers["webhook-id"] == notice.notice_id


@pytest.mark.parametrize("part", ["id", "timestamp", "body", "secret"])
def test_another_implementation_refuses_what_was_changed_on_the_way(part):
    secret, now = new_secret(), time.time()
    delivery = a_delivery()
    headers, body = signed(delivery, [secret], now), delivery.body
    match part:
        case "id":
            headers["webhook-id"] = notice_id("another")
        case "timestamp":
            headers["webhook-timestamp"] = str(int(now) + 1)
        case "body":
            body += " "
        case "secret":
            secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        verified(headers, body, secret)


def test_the_signature_is_the_published_one():
    """The vector of the specification's own example."""
    delivery = a_delivery(notice_id="msg_p5jXN8AQM9LWM0D4loKWxJek", body='{"test": 2432232314}')
    headers = signed(delivery, [SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], 1614265330)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_replaced_both_are_accepted_and_afterwards_only_the_new_one():
    endpoint = rotated(an_endpoint(secret="old"), "new", NOW)
    assert endpoint.sealed_secrets(NOW + 86_399) == ("new", "old")
    assert endpoint.sealed_secrets(NOW + 86_400) == ("new",)
    former, present, now = new_secret(), new_secret(), time.time()
    headers = signed(a_delivery(), [present, former], now)
    for secret in (former, present):
        assert verified(headers, a_delivery().body, secret)


def test_secrets_are_of_256_random_bits():
    secrets = {new_secret().get_secret_value() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) for secret in secrets} == {32}
    assert hmac.compare_digest(repr(new_secret()), "SecretStr('**********')")


# Tries
def all_tries(luck: float) -> list[float]:
    """The moments at which an endpoint that never answers well is tried."""
    delivery, now, moments = a_delivery(watch_at=NOW), NOW, []
    while delivery.watch_at is not None:
        now = delivery.watch_at
        moments.append(now - NOW)
        delivery = tried(delivery, FAILED, now, luck)
    assert delivery.state is DeliveryState.FAILED
    return moments


def test_a_notice_is_tried_ten_times_in_72_hours_and_later_each_time():
    moments = all_tries(0)
    assert moments == [0, *accumulate(DELIVERY_WAITS_SECONDS)]
    assert len(moments) == 10
    assert 71 * 3600 < moments[-1] <= 72 * 3600 - 60 * len(moments)  # each may begin a minute late
    assert list(DELIVERY_WAITS_SECONDS) == sorted(DELIVERY_WAITS_SECONDS)


def test_what_fails_together_is_not_tried_again_together():
    early, late = all_tries(1), all_tries(0)
    assert all(one < other for one, other in zip(early[1:], late[1:], strict=True))
    assert early[-1] == pytest.approx(0.9 * late[-1])


def test_a_notice_that_is_taken_is_not_sent_again():
    delivery = tried(a_delivery(), TAKEN, NOW, 0)
    assert (delivery.state, delivery.watch_at, delivery.tries) == (DeliveryState.DELIVERED, None, (TAKEN,))


def test_only_the_latest_tries_are_kept_and_beginning_again_allows_as_many():
    delivery = a_delivery()
    for _ in range(2):
        while delivery.state is DeliveryState.PENDING:
            delivery = tried(delivery, FAILED, NOW, 0)
        assert (len(delivery.tries), delivery.count) == (10, 10)
        delivery = begun_again(delivery, NOW + 5)
        assert (delivery.due(NOW + 4), delivery.due(NOW + 5)) == (False, True)


# Endpoints
def test_an_endpoint_wants_what_was_chosen_or_everything_and_nothing_while_it_is_disabled():
    chosen = an_endpoint(types=("post.failed",))
    assert [chosen.wants(name) for name in ("post.failed", "post.published")] == [True, False]
    assert all(an_endpoint().wants(name) for name in TYPES)
    off = disabled(an_endpoint(), "Gone.", NOW)
    assert not off.wants("post.failed")
    assert disabled(off, "Another reason.", NOW + 5) == off
    assert enabled(off, NOW).wants("post.failed")


def test_that_an_endpoint_takes_notices_is_noted_once_an_hour():
    endpoint = took(an_endpoint(), NOW)
    assert endpoint.took_at == NOW
    assert took(endpoint, NOW + 3599) is endpoint
    assert took(endpoint, NOW + 3600).took_at == NOW + 3600


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://localhost/",
        "https://hooks.example:8443/",
        "https://user:secret@hooks.example/",
        "https://hooks.example/\nhost: other",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "hooks.example",
        "",
        "https://" + "a" * 3000 + ".example/",
    ],
)
def test_what_is_not_https_to_a_name_is_no_endpoint(url):
    with pytest.raises(InvalidRequest) as refused:
        check_endpoint_url(url, [])
    assert refused.value.field == "url"
    assert "secret" not in refused.value.error


def test_only_an_origin_that_the_operator_trusts_may_be_called_without_tls():
    assert check_endpoint_url("http://127.0.0.1:9000/hook", ["http://127.0.0.1:9000"]).port == 9000
    assert check_endpoint_url("https://hooks.example/a?b=c", []).target == "/a?b=c"


def test_a_notice_about_the_same_has_the_same_id():
    assert notice_id("post", "1", 0, "FAILED") == notice_id("post", "1", 0, "FAILED")
    assert len({notice_id("post", "1", 0, "FAILED"), notice_id("post", "1", 1, "FAILED"), notice_id("post", "10")}) == 3
