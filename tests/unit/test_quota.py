"""What GET …/quota tells is what the next caller gets."""

from collections.abc import Callable
from functools import partial

import pytest

from publisher.domain.errors import RateLimitExceeded
from publisher.domain.slots import (
    APP,
    DRAFTS,
    LANES,
    POSTS,
    TIKTOK_INIT,
    WINDOWS,
    Hold,
    Lane,
    Turn,
    Usage,
    count,
    hold,
    join,
    take,
)
from publisher.use_cases.take_turn import change_usage, stand_in_line
from tests.builders import NOW, a_post
from tests.fakes import FakePorts
from tests.unit.conftest import Http, HttpAnswer, assert_failed

EMPTY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def account_id(ports: FakePorts) -> str:
    return ports.connect().account_id


def ask(http: Http, account_id: str) -> HttpAnswer:
    answer = http.get(f"/v2/accounts/{account_id}/quota")
    assert answer.status == 200
    return answer


def limit(http: Http, account_id: str, name: str) -> dict:
    return next(one for one in ask(http, account_id).json["limits"] if one["name"] == name)


def taken(ports: FakePorts, account_id: str, lane: Lane, *owners: str) -> None:
    for owner in owners:
        change_usage(ports, account_id, partial(one_more, take, lane, owner))


def promised(ports: FakePorts, account_id: str, lane: Lane, *owners: str) -> None:
    for owner in owners:
        change_usage(ports, account_id, partial(one_more, join, lane, owner))


def one_more(
    act: Callable[[Usage, Lane, str, float], tuple[Usage, Turn]], lane: Lane, owner: str, usage: Usage, now: float
) -> tuple[Usage, Turn]:
    return act(usage, lane, owner, now)


def held(ports: FakePorts, usage_id: str, lanes: tuple[Lane, ...], seconds: float, error: str) -> None:
    told = Hold(NOW + seconds, "spam_risk", error, "Wait.", "log-1")
    change_usage(ports, usage_id, lambda usage, _: (hold(usage, lanes, told), None))


def test_an_account_that_did_nothing_has_all_of_every_limit(http, account_id):
    told = ask(http, account_id).json
    assert told["accountId"] == account_id
    assert [(one["name"], one["limit"], one["windowSeconds"]) for one in told["limits"]] == [
        ("publish", 6, 3600),
        ("performance", 100, 86400),
        ("tiktok-posts", 15, 86400),
        ("tiktok-drafts", 5, 86400),
        ("tiktok-init", 6, 65),
        ("tiktok-creator-info", 20, 65),
        ("tiktok-status", 30, 65),
    ]
    assert len(told["limits"]) == len(WINDOWS)
    assert all(one["left"] == one["limit"] for one in told["limits"])
    assert all((one["used"], one["promised"], one["frees"]) == (0, 0, []) for one in told["limits"])
    assert (told["waiting"], told["heldUntil"], told["heldReason"]) == ({"posts": 0, "drafts": 0}, None, None)


def test_each_taken_slot_is_told_with_the_moment_at_which_it_frees(http, ports, account_id):
    taken(ports, account_id, POSTS, "a")
    ports.clock.time += 600
    taken(ports, account_id, POSTS, "b")
    told = limit(http, account_id, "publish")
    assert (told["used"], told["left"]) == (2, 4)
    assert told["frees"] == ["2026-09-21T15:13:20.000Z", "2026-09-21T15:23:20.000Z"]
    ports.clock.time = NOW + 3600
    told = limit(http, account_id, "publish")
    assert (told["used"], told["left"], told["frees"]) == (1, 5, ["2026-09-21T15:23:20.000Z"])


def test_calls_of_the_last_minute_count_and_no_posts(http, ports, account_id):
    change_usage(ports, account_id, lambda usage, now: count(usage, TIKTOK_INIT, "a", now))
    assert limit(http, account_id, "tiktok-init")["left"] == 5
    assert limit(http, account_id, "publish")["left"] == 6


def test_what_is_promised_is_left_to_nobody_else(http, ports, account_id):
    taken(ports, account_id, POSTS, "a", "b", "c")
    promised(ports, account_id, POSTS, "d", "e")
    told = limit(http, account_id, "publish")
    assert (told["used"], told["promised"], told["left"]) == (3, 2, 1)


@pytest.mark.parametrize("before", range(9))
def test_as_many_as_are_left_are_taken_in_and_not_one_more(http, ports, account_id, before):
    taken(ports, account_id, POSTS, *[f"taken-{number}" for number in range(min(before, 4))])
    promised(ports, account_id, POSTS, *[f"promised-{number}" for number in range(before - min(before, 4))])
    left = limit(http, account_id, "publish")["left"]
    for _ in range(left):
        stand_in_line(ports, a_post(account_id=account_id))
    assert limit(http, account_id, "publish")["left"] == 0
    with pytest.raises(RateLimitExceeded):
        stand_in_line(ports, a_post(account_id=account_id))


def test_those_that_wait_for_their_turn_are_counted_by_line(http, ports, account_id):
    promised(ports, account_id, POSTS, *[f"post-{number}" for number in range(8)])
    promised(ports, account_id, DRAFTS, *[f"draft-{number}" for number in range(6)])
    assert ask(http, account_id).json["waiting"] == {"posts": 2, "drafts": 1}
    assert limit(http, account_id, "tiktok-drafts")["left"] == 0


def test_a_place_of_one_who_has_its_slot_is_promised_once(http, ports, account_id):
    taken(ports, account_id, POSTS, "a")
    promised(ports, account_id, POSTS, "a")
    assert limit(http, account_id, "publish")["left"] == 5


@pytest.mark.parametrize("whose", ["the account's", "the app's"])
def test_a_hold_leaves_nothing_until_its_end_and_says_why(http, ports, account_id, whose):
    held(ports, APP if whose == "the app's" else account_id, LANES, 3600, "TikTok takes nothing.")
    told = ask(http, account_id).json
    assert (told["heldUntil"], told["heldReason"]) == ("2026-09-21T15:13:20.000Z", "TikTok takes nothing.")
    left = {one["name"]: one["left"] for one in told["limits"]}
    assert (left["publish"], left["tiktok-posts"], left["tiktok-drafts"], left["performance"]) == (0, 0, 0, 100)
    ports.clock.time = NOW + 3600
    told = ask(http, account_id).json
    assert (told["heldUntil"], told["heldReason"], told["limits"][0]["left"]) == (None, None, 6)


def test_a_hold_of_drafts_leaves_posts_alone(http, ports, account_id):
    held(ports, account_id, (DRAFTS,), 3600, "The inbox is full.")
    assert limit(http, account_id, "publish")["left"] == 6
    assert limit(http, account_id, "tiktok-drafts")["left"] == 0
    assert ask(http, account_id).json["heldReason"] == "The inbox is full."


def test_of_two_holds_the_longer_one_is_told(http, ports, account_id):
    held(ports, account_id, LANES, 3600, "The creator is banned.")
    held(ports, APP, LANES, 7200, "The app is full.")
    assert ask(http, account_id).json["heldReason"] == "The app is full."


def test_asking_takes_nothing_and_does_not_call_tiktok(http, ports, account_id):
    before = ports.slots.get(account_id)
    ports.tiktok.faults.before("creator", AssertionError("TikTok was called"))
    ask(http, account_id)
    assert ports.slots.get(account_id) == before


def test_one_accounts_use_is_not_anothers(http, ports, account_id):
    taken(ports, account_id, POSTS, "a")
    assert limit(http, ports.connect().account_id, "publish")["left"] == 6


def test_another_workspaces_account_and_none_look_the_same(http, ports):
    other = ports.connect(workspace_id="workspace-2").account_id
    for account_id in (other, EMPTY, "x"):
        assert_failed(http.get(f"/v2/accounts/{account_id}/quota"), 404, "NotFound")


def test_a_key_needs_the_scope_of_accounts(http, ports, account_id):
    key = http.make_key(scopes=("posts:write",))
    assert_failed(http.get(f"/v2/accounts/{account_id}/quota", key=key), 403, "InsufficientScope")
