"""The port Vault."""

import base64

import pytest
from pydantic import SecretStr

from publisher.domain.errors import InternalServerError, ServiceUnavailable

CONTEXT = {"workspace": "workspace-1", "account": "account-1", "field": "tokens"}


@pytest.mark.parametrize("text", ["a token", "", "é 🐇", "x" * 5000], ids=["plain", "empty", "unicode", "long"])
def test_what_was_sealed_opens_in_its_context(ports, text):
    sealed = ports.vault.sealer(CONTEXT)(SecretStr(text))
    assert ports.vault.unseal(sealed, dict(reversed(CONTEXT.items()))).get_secret_value() == text


@pytest.mark.parametrize(
    "other",
    [
        {**CONTEXT, "account": "account-2"},
        {**CONTEXT, "more": "x"},
        {"workspace": "workspace-1", "account": "account-1"},
        {},
    ],
    ids=["another", "larger", "smaller", "none"],
)
def test_what_was_sealed_opens_in_no_other_context(ports, other):
    sealed = ports.vault.sealer(CONTEXT)(SecretStr("a token"))
    with pytest.raises(InternalServerError) as raised:
        ports.vault.unseal(sealed, other)
    assert "a token" not in f"{raised.value!r} {raised.value.message}"


@pytest.mark.parametrize("text", ["", "1", "1..", "1.a.b", "1.AAAA.AAAA", "2.AAAA.AAAA", "é", "....", "1.é.é"])
def test_what_was_never_sealed_does_not_open(ports, text):
    with pytest.raises(InternalServerError):
        ports.vault.unseal(text, CONTEXT)


# KMS
def test_a_sealer_seals_without_calling_anybody(aws_ports):
    seal = aws_ports.vault.sealer(CONTEXT)
    refused = aws_ports.aws.answer("kms", "*", 500, {})
    assert seal(SecretStr("one")) != seal(SecretStr("one"))
    assert refused == []


def test_a_sealed_text_shows_nothing_of_its_secret_or_its_data_key(aws_ports):
    sealed = aws_ports.vault.sealer(CONTEXT)(SecretStr("act.a-token-of-a-creator"))
    version, data_key, hidden = sealed.split(".")
    assert version == "1"
    assert b"token" not in base64.b64decode(data_key) + base64.b64decode(hidden)


def test_every_changed_byte_is_noticed(aws_ports):
    version, data_key, hidden = aws_ports.vault.sealer(CONTEXT)(SecretStr("a token")).split(".")
    raw = base64.b64decode(hidden)
    for at in range(len(raw)):
        changed = base64.b64encode(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).decode()
        with pytest.raises(InternalServerError):
            aws_ports.vault.unseal(f"{version}.{data_key}.{changed}", CONTEXT)


def test_the_ciphertext_is_bound_to_its_context_also_without_kms(aws_ports, monkeypatch):
    """KMS refuses another context first; here it does not, and the ciphertext still does."""
    sealed = aws_ports.vault.sealer(CONTEXT)(SecretStr("a token"))
    kms = aws_ports.aws.clients["kms"]
    decrypt = kms.decrypt
    monkeypatch.setattr(kms, "decrypt", lambda **call: decrypt(**{**call, "EncryptionContext": CONTEXT}))
    with pytest.raises(InternalServerError):
        aws_ports.vault.unseal(sealed, {**CONTEXT, "account": "account-2"})


def test_a_throttled_kms_can_be_asked_later(aws_ports):
    aws_ports.aws.answer("kms", "GenerateDataKey", 400, {"__type": "ThrottlingException"})
    with pytest.raises(ServiceUnavailable):
        aws_ports.vault.sealer(CONTEXT)
