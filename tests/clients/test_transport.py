"""Whatever the network does, a post is made once, and what is sent again was safe to send."""

from pathlib import Path
from typing import Any

import pytest

from publisher_client import Client, NotSignedIn, Options, PublisherApiError, UnexpectedAnswer, Unreachable
from publisher_client.transport import ATTEMPTS, LONGEST_PAUSE, pause_before
from tests.clients.conftest import BadService
from tests.conftest import free_port

KEY = "tkp_live_" + "a" * 40
OPTIONS = Options(privacy_level="SELF_ONLY")


class User(Client):
    """A user whose clock runs by itself; `slept` are the seconds it was waited for."""

    def __init__(self, url: str) -> None:
        self.slept: list[float] = []
        super().__init__(url, KEY, sleep=self.slept.append)

    def post_once(self, **arguments: Any) -> str:
        answer = self.publish("account", ["https://example.com/a.mp4"], "hello", OPTIONS, **arguments)
        return answer.post_submission_id


@pytest.fixture
def user(service: BadService) -> User:
    return User(service.url)


@pytest.mark.parametrize(
    "faults",
    [
        ["cut-before"],
        ["cut-after"],
        ["half"],
        ["503"],
        ["500", "502", "504"],
        ["429 after 1"],
        ["in-flight"],
        ["cut-after", "503", "cut-after", "429 after 2", "half"],
    ],
    ids=str,
)
def test_a_post_is_made_once_whatever_is_lost(service: BadService, user: User, faults: list[str]):
    service.scene.faults = list(faults)
    assert user.post_once() == "post-1"
    assert len(service.scene.posts) == 1
    assert len(service.scene.heard) == len(faults) + 1


def test_two_posts_are_two_and_the_same_key_is_one(service: BadService, user: User):
    assert [user.post_once(), user.post_once()] == ["post-1", "post-2"]
    assert [user.post_once(idempotency_key="mine"), user.post_once(idempotency_key="mine")] == ["post-3", "post-3"]


def test_the_service_is_waited_for_as_long_as_it_says(service: BadService, user: User):
    service.scene.faults = ["429 after 7", "in-flight"]
    user.post_once()
    assert user.slept == [7, 3]


def test_what_frees_much_later_is_told_and_not_waited_for(service: BadService, user: User):
    service.scene.faults = ["429 after 2400"]
    with pytest.raises(PublisherApiError) as raised:
        user.post_once()
    assert (raised.value.retry_after, user.slept, len(service.scene.heard)) == (2400, [], 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_told_at_once(service: BadService, user: User, status: int):
    service.scene.faults = [str(status)]
    with pytest.raises(PublisherApiError, match=r"It is so\. Do that\.") as raised:
        user.post_once()
    assert (raised.value.status, raised.value.code, len(service.scene.heard)) == (status, "Some", 1)


@pytest.mark.parametrize("status", [422, 429, 503])
def test_the_outcome_of_a_post_is_no_reason_to_send_it_again(service: BadService, user: User, status: int):
    service.scene.faults = [f"outcome {status}"]
    with pytest.raises(PublisherApiError) as raised:
        user.post_once()
    assert (raised.value.post_id, len(service.scene.heard)) == ("post-1", 1)


def test_it_ends_and_says_that_the_post_may_be_there(service: BadService, user: User):
    service.scene.faults = ["cut-after"] * 20
    with pytest.raises(Unreachable, match="may have happened") as raised:
        user.post_once()
    assert raised.value.outcome_unknown
    assert (len(service.scene.heard), len(service.scene.posts)) == (ATTEMPTS, 1)


def test_nothing_happened_where_nobody_listens():
    user = User(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unreachable) as raised:
        user.post_once()
    assert (raised.value.outcome_unknown, len(user.slept)) == (False, ATTEMPTS - 1)


def test_a_retry_of_a_post_is_sent_once(service: BadService, user: User):
    service.scene.faults = ["cut-after"]
    with pytest.raises(Unreachable) as raised:
        user.retry("post-1", published=False)
    assert (raised.value.outcome_unknown, len(service.scene.heard)) == (True, 1)


def test_reading_is_repeated(service: BadService, user: User):
    service.scene.faults = ["cut-before", "503", "half"]
    assert [one.account_id for one in user.accounts()] == ["account"]


def test_the_pauses_grow_and_end_within_half_a_minute():
    for _ in range(50):
        pauses = [pause_before(attempt) for attempt in range(2, ATTEMPTS + 1)]
        assert pauses[0] < pauses[2] < pauses[4]
        assert 12 < sum(pauses) < 26
        assert max(pauses) <= LONGEST_PAUSE


def test_the_key_follows_no_redirect(service: BadService, user: User):
    other = BadService()
    service.scene.faults = [f"redirect {other.url}/v2/posts"]
    with pytest.raises(PublisherApiError):
        user.post_once()
    assert other.scene.heard == []
    other.shutdown()
    other.server_close()


@pytest.mark.parametrize("url", ["http://api.example.com", "ftp://127.0.0.1", "api.example.com", "https://u:p@host"])
def test_the_key_goes_to_no_address_where_others_could_read_it(url: str):
    with pytest.raises(NotSignedIn):
        Client(url, KEY)


@pytest.mark.parametrize("key", ["", "secret", "tkp_live_ü", "tkp_live_a b", "tkp_live_a\r\nX: y"])
def test_what_is_no_key_is_not_sent(key: str):
    with pytest.raises(NotSignedIn) as raised:
        Client("https://api.example.com", key)
    assert not key or key not in str(raised.value)


def test_an_upload_of_a_file_that_is_not_there_sends_nothing(service: BadService, user: User, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        user.upload(tmp_path / "none.mp4")
    assert service.scene.heard == []


def test_an_address_of_something_else_is_told_so(service: BadService, user: User):
    service.scene.faults = ["other 200"]
    with pytest.raises(UnexpectedAnswer):
        user.accounts()


def test_a_password_of_netrc_is_not_sent(service: BadService, user: User, tmp_path: Path, monkeypatch):
    (tmp_path / "netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    user.accounts()
    assert service.scene.authorizations == [None]
