"""The environment is read once, and what is wrong with it is named."""

import pytest
from pydantic import ValidationError

from publisher.settings import Settings

GOOD = {
    "POSTS_TABLE": "posts",
    "ACCOUNTS_TABLE": "accounts",
    "KEYS_TABLE": "keys",
    "PHOTO_HOST_TABLE": "photo-host",
    "METRICS_TABLE": "metrics",
    "ENDPOINTS_TABLE": "endpoints",
    "MEDIA_BUCKET": "bucket",
    "DROP_BUCKET": "drops",
    "STATE_MACHINE_ARN": "machine",
    "SCHEDULE_GROUP": "group",
    "SCHEDULE_TARGET_ARN": "function",
    "SCHEDULE_ROLE_ARN": "role",
    "DEAD_LETTER_ARN": "queue",
    "DELIVER_ARN": "function",
    "MEDIA_PROBE_ARN": "function",
    "TOKEN_KEY_ID": "key",
    "TIKTOK_SECRET_ID": "secret",
    "TIKTOK_API_URL": "https://open.tiktokapis.com",
    "TIKTOK_AUTH_URL": "https://www.tiktok.com",
    "TRUSTED_MEDIA_ORIGINS": "",
    "PUBLIC_URL": "",
    "OWNERSHIP_TOKENS": "",
}
OPTIONAL = ("TRUSTED_MEDIA_ORIGINS", "PUBLIC_URL", "OWNERSHIP_TOKENS")


@pytest.fixture
def environment(monkeypatch):
    def set_to(**changes):
        for name, value in {**GOOD, **changes}.items():
            monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name, raising=False)
        return Settings.from_environment()

    return set_to


def test_every_variable_becomes_the_field_of_its_name(environment):
    settings = environment(PUBLIC_URL="https://publish.example")
    assert {name: getattr(settings, name.lower()) for name in GOOD} == {
        **GOOD,
        "TRUSTED_MEDIA_ORIGINS": (),
        "PUBLIC_URL": "https://publish.example",
        "OWNERSHIP_TOKENS": (),
    }


def test_an_empty_public_url_means_the_address_that_the_gateway_gives(environment):
    assert environment().public_url is None


def test_trusted_origins_are_separated_by_commas(environment):
    settings = environment(TRUSTED_MEDIA_ORIGINS="http://127.0.0.1:9000, https://media.example,")
    assert settings.trusted_media_origins == ("http://127.0.0.1:9000", "https://media.example")


def test_ownership_tokens_are_separated_by_commas(environment):
    assert environment(OWNERSHIP_TOKENS="aB0_-,  second ,").ownership_tokens == ("aB0_-", "second")


@pytest.mark.parametrize("token", ["tiktok a.txt", "a/b", "../a", "a.txt", "ä", "a\n b"])
def test_what_is_no_ownership_token_is_refused(environment, token):
    with pytest.raises(ValidationError, match="ownership_tokens"):
        environment(OWNERSHIP_TOKENS=f"good,{token}")


@pytest.mark.parametrize("name", [name for name in GOOD if name not in OPTIONAL])
@pytest.mark.parametrize("value", ["", None])
def test_a_missing_variable_is_named(environment, name, value):
    with pytest.raises(ValidationError, match=name.lower()):
        environment(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIKTOK_API_URL", "open.tiktokapis.com"),
        ("TIKTOK_API_URL", "https://open.tiktokapis.com/"),
        ("TIKTOK_AUTH_URL", "ftp://www.tiktok.com"),
        ("PUBLIC_URL", "https://publish.example/api"),
        ("TRUSTED_MEDIA_ORIGINS", "https://media.example,media.example"),
    ],
)
def test_what_is_no_origin_is_refused(environment, name, value):
    with pytest.raises(ValidationError, match=name.lower()):
        environment(**{name: value})
