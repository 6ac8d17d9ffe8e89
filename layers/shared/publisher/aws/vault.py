"""Sealing by envelope: AES-256-GCM under a data key that only KMS opens.

A sealed text is `1.<data key>.<nonce and ciphertext>`, both in base64. Its context is checked twice: KMS opens the data
key in the same context only, and the ciphertext is bound to it.
"""

import base64
import json
import os
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from publisher.aws.calls import aws_call
from publisher.domain.errors import InternalServerError

_VERSION = "1"
_NONCE_BYTES = 12


class KmsVault:
    """The port Vault. `client` is a boto3 client of KMS."""

    def __init__(self, client: Any, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def sealer(self, context: dict[str, str]) -> Callable[[SecretStr], str]:
        """Fetch a data key, and return a function that encrypts with it without calling anybody."""
        with aws_call("KMS"):
            data_key = self._client.generate_data_key(KeyId=self._key_id, KeySpec="AES_256", EncryptionContext=context)
        cipher, opened_by_kms = AESGCM(data_key["Plaintext"]), _encode(data_key["CiphertextBlob"])

        def seal(secret: SecretStr) -> str:
            nonce = os.urandom(_NONCE_BYTES)
            hidden = cipher.encrypt(nonce, secret.get_secret_value().encode(), _bytes(context))
            return f"{_VERSION}.{opened_by_kms}.{_encode(nonce + hidden)}"

        return seal

    def unseal(self, sealed: str, context: dict[str, str]) -> SecretStr:
        """Decrypt; InternalServerError when the text was sealed in another context or changed."""
        try:
            version, data_key, hidden = sealed.split(".")
            opened_by_kms, nonce_and_hidden = _decode(data_key), _decode(hidden)
        except ValueError:
            raise _unopened() from None
        if version != _VERSION:
            raise _unopened()
        try:
            with aws_call("KMS", "InvalidCiphertextException", "IncorrectKeyException"):
                answer = self._client.decrypt(
                    KeyId=self._key_id, CiphertextBlob=opened_by_kms, EncryptionContext=context
                )
            nonce, hidden_bytes = nonce_and_hidden[:_NONCE_BYTES], nonce_and_hidden[_NONCE_BYTES:]
            return SecretStr(AESGCM(answer["Plaintext"]).decrypt(nonce, hidden_bytes, _bytes(context)).decode())
        except (ClientError, InvalidTag, ValueError):
            raise _unopened() from None


def _unopened() -> InternalServerError:
    return InternalServerError(
        "A stored secret does not open: it was changed, or belongs elsewhere.", "Connect the account again."
    )


def _bytes(context: dict[str, str]) -> bytes:
    return json.dumps(context, sort_keys=True).encode()


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
