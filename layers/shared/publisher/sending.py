"""Sending notices to endpoints that customers chose, as carefully as media is fetched (fetching.py).

The answer's status is all that is taken from it: a redirect is not followed, and the body is not read.
"""

import http.client
import socket
import ssl
from collections.abc import Collection, Mapping
from contextlib import closing

from publisher.domain.endpoints import check_endpoint_url
from publisher.domain.errors import InvalidRequest
from publisher.domain.limits import NOTICE_ANSWER_SECONDS
from publisher.fetching import Caller, Dial, Pace, Resolve, Unreachable, resolve_name
from publisher.ports import Reply

_SECONDS = float(NOTICE_ANSWER_SECONDS)


class Sender(Caller):
    """The port Sender. `seconds` are those that an endpoint has, from the connection to the answer's last header."""

    def __init__(
        self,
        trusted_origins: Collection[str] = (),
        *,
        resolve: Resolve = resolve_name,
        dial: Dial = socket.create_connection,
        seconds: float = _SECONDS,
        ca_certs: str | None = None,
    ) -> None:
        pace = Pace(headers=seconds, total=seconds)
        super().__init__(trusted_origins, resolve=resolve, dial=dial, pace=pace, ca_certs=ca_certs)
        self._seconds = seconds

    def send(self, url: str, headers: Mapping[str, str], body: str) -> Reply:
        """POST a JSON text. The reply tells nothing of where a name leads: whatever is behind it reads alike."""
        usual = {"User-Agent": "publisher-webhooks", "Content-Type": "application/json"}
        try:
            place = check_endpoint_url(url, self._trusted_origins)
            answer = self.exchange(place, "POST", {**usual, **headers}, body.encode(), self.until(self._seconds))
        except InvalidRequest:
            return Reply(status=None, error="Its URL is not one that can be called.")
        except Unreachable:
            return Reply(status=None, error="It could not be reached.")
        except ssl.SSLCertVerificationError:
            return Reply(status=None, error="It has no valid certificate for its name.")
        except (OSError, http.client.HTTPException):
            return Reply(status=None, error=f"It gave no complete answer within {self._seconds:g} seconds.")
        with closing(answer):
            return Reply(status=answer.status)
