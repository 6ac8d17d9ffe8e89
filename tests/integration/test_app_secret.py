"""The port AppSecret."""

import json

import pytest

from publisher.domain.errors import ServiceUnavailable
from publisher.domain.limits import APP_SECRET_CACHE_SECONDS
from tests.fakes import FakeAppSecret


def test_the_stored_app_is_returned_and_its_secret_does_not_print(ports):
    app = ports.app_secret.app()
    assert (app.client_key, app.client_secret.get_secret_value()) == ("key", "secret")
    assert "secret'" not in repr(app).replace("client_secret", "")


def test_without_an_app_the_error_says_what_to_do(ports):
    if hasattr(ports, "aws"):
        ports.aws.secret_id = "another"
        app_secret = ports.app_secret
    else:
        app_secret = FakeAppSecret(None)
    with pytest.raises(ServiceUnavailable, match="No TikTok app is stored") as raised:
        app_secret.app()
    assert "store" in raised.value.message.lower()


# Secrets Manager
def store(ports, text):
    ports.aws.clients["secretsmanager"].put_secret_value(SecretId=ports.aws.secret_id, SecretString=text)


def test_a_new_secret_counts_after_five_minutes(aws_ports):
    app_secret = aws_ports.app_secret
    app_secret.app()
    store(aws_ports, json.dumps({"client_key": "new", "client_secret": "new"}))
    aws_ports.clock.time += APP_SECRET_CACHE_SECONDS - 1
    assert app_secret.app().client_key == "key"
    aws_ports.clock.time += 1
    assert app_secret.app().client_key == "new"


@pytest.mark.parametrize("text", ["hunter2", "{}", '{"client_key":"hunter2"}', "[]", '"hunter2"'])
def test_a_secret_of_another_form_is_named_and_not_shown(aws_ports, text):
    store(aws_ports, text)
    with pytest.raises(ServiceUnavailable, match="cannot be read") as raised:
        aws_ports.app_secret.app()
    assert "hunter2" not in f"{raised.value!r} {raised.value.message}"
    assert raised.value.__suppress_context__


def test_the_previous_secret_is_there_while_the_new_one_is_introduced(aws_ports):
    app = {"client_key": "key", "client_secret": "new", "previous_client_secret": "former"}
    store(aws_ports, json.dumps(app))
    assert [secret.get_secret_value() for secret in aws_ports.app_secret.app().secrets] == ["new", "former"]
    assert "former" not in repr(aws_ports.app_secret.app())


def test_without_a_previous_secret_one_counts(aws_ports):
    store(aws_ports, json.dumps({"client_key": "key", "client_secret": "new", "previous_client_secret": None}))
    assert [secret.get_secret_value() for secret in aws_ports.app_secret.app().secrets] == ["new"]


def test_a_failure_is_not_cached(aws_ports):
    app_secret = aws_ports.app_secret
    store(aws_ports, "{}")
    with pytest.raises(ServiceUnavailable):
        app_secret.app()
    store(aws_ports, json.dumps({"client_key": "new", "client_secret": "new"}))
    assert app_secret.app().client_key == "new"
