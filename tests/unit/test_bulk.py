"""Many posts in one request: each row by itself, and none twice however often the request is sent."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from publisher.api import BulkRequest, RowAnswer
from publisher.domain.errors import AccountDisabled
from publisher.domain.limits import BULK_BODY_BYTES, BULK_POSTS, IN_FLIGHT_SECONDS
from publisher.domain.posts import Post
from publisher.ports import PostQuery
from publisher.use_cases.create_post import create_post
from publisher.use_cases.create_posts import create_posts
from tests.fakes import FakePorts, Killed
from tests.unit.conftest import Http, assert_failed

WORKSPACE = "workspace-1"


def row(account_id: str, text: str = "A rabbit #film #rabbit #spring", **more: Any) -> dict[str, Any]:
    content = {"text": text, "mediaUrls": "https://media.example/film.mp4", "platform": "tiktok"}
    options = {"privacyLevel": "PUBLIC_TO_EVERYONE"}
    return {"post": {"accountId": account_id, "content": content, "tiktokOptions": options}, **more}


def take(
    ports: FakePorts, rows: list[Any], key: str | None = None, left: Callable[[], float] = lambda: 29.0, **more: Any
) -> list[RowAnswer]:
    request = BulkRequest(posts=rows, **more)
    return create_posts(ports, WORKSPACE, request, idempotency_key=key, seconds_left=left)


def stored(ports: FakePorts) -> list[Post]:
    return list(ports.posts.find(PostQuery(workspace_id=WORKSPACE, limit=1000)).posts)


def outcome(answer: RowAnswer) -> str:
    return answer.code or ("waits" if answer.not_before else "goes")


@pytest.fixture
def account_id(ports: FakePorts) -> str:
    return ports.connect().account_id


def test_each_row_stands_by_itself(ports: FakePorts, account_id: str) -> None:
    rows = [row(account_id), row("nobody"), "no row", row(account_id, "x" * 3000), {}, row(account_id, draft=True)]
    answers = take(ports, rows)
    assert [answer.row for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert [answer.code for answer in answers] == [
        None,
        "InvalidAccountId",
        "InvalidRequest",
        "TextTooLong",
        "MissingParameter",
        "InvalidRequest",
    ]
    assert [post.post_id for post in stored(ports)] == [answers[0].post_submission_id]
    assert len(answers[4].problems or []) > 1


def test_a_hundred_posts_of_one_account_go_wait_and_are_refused_in_their_order(
    ports: FakePorts, account_id: str
) -> None:
    rows = [row(account_id, f"Row {number}") for number in range(BULK_POSTS)]
    dry = take(ports, rows, queue_if_limited=True, dry_run=True)
    assert (stored(ports), ports.slots.get(account_id).lines) == ([], {})
    answers = take(ports, rows, queue_if_limited=True)
    assert [outcome(answer) for answer in answers] == ["goes"] * 6 + ["waits"] * 50 + ["RateLimitExceeded"] * 44
    assert [outcome(answer) for answer in dry] == [outcome(answer) for answer in answers]
    assert [answer.not_before for answer in dry] == [answer.not_before for answer in answers]
    turns = [answer.not_before for answer in answers[6:56]]
    assert turns == sorted(turns, key=str)
    assert all(answer.retry_after for answer in answers[56:])


def test_a_hundred_posts_of_a_hundred_accounts_all_go_and_tiktok_is_asked_once_of_each(ports: FakePorts) -> None:
    accounts = [
        ports.connect(account_id=f"{number:08d}-0000-4000-8000-000000000000", open_id=f"open-{number}").account_id
        for number in range(50)
    ]
    answers = take(ports, [row(account_id) for account_id in accounts * 2])
    assert Counter(map(outcome, answers)) == {"goes": 100}
    asked = [len(ports.slots.get(account_id).logs["tiktok-creator-info"]) for account_id in accounts]
    assert asked == [1] * 50


def test_an_account_whose_creator_is_banned_is_asked_about_once(ports: FakePorts, account_id: str) -> None:
    ban = AccountDisabled("Banned.", "He appeals.", tiktok_code="spam_risk_user_banned_from_posting")
    ports.tiktok.faults.before("creator", ban)
    answers = take(ports, [row(account_id)] * 5)
    assert [answer.success for answer in answers] == [False] * 5
    assert len(ports.slots.get(account_id).logs["tiktok-creator-info"]) == 1


def test_rows_that_give_no_answer_to_the_limit_take_that_of_the_request(ports: FakePorts, account_id: str) -> None:
    take(ports, [row(account_id)] * 6)
    rows = [row(account_id), row(account_id, queueIfLimited=None), row(account_id, queueIfLimited=False)]
    assert [outcome(answer) for answer in take(ports, rows, queue_if_limited=True)] == [
        "waits",
        "waits",
        "RateLimitExceeded",
    ]


def test_rows_without_time_are_told_so_and_not_stored(ports: FakePorts, account_id: str) -> None:
    left = iter([29.0] * 4 + [3.0] * 9)
    answers = take(ports, [row(account_id)] * 5, left=lambda: next(left))
    assert [outcome(answer) for answer in answers] == ["goes", "goes", "Timeout", "Timeout", "Timeout"]
    assert all(answer.retryable for answer in answers[2:])
    assert len(stored(ports)) == 2


def test_the_same_request_again_makes_nothing_twice(ports: FakePorts, account_id: str) -> None:
    first = take(ports, [row(account_id), row(account_id), row("nobody")], key="k")
    again = take(ports, [row(account_id), row(account_id, "Another text"), row(account_id)], key="k")
    assert again[0] == first[0]
    assert (again[1].success, again[1].message) == (
        False,
        "Use a new key for a new post, or the same body to get the first answer.",
    )
    assert again[2].success
    assert len(stored(ports)) == 3


def test_a_rows_key_is_nobody_elses(ports: FakePorts, account_id: str) -> None:
    answers = take(ports, [row(account_id)], key="k")
    single = create_post(ports, WORKSPACE, row(account_id), idempotency_key="k", seconds_left=29)
    assert single.post.post_id != answers[0].post_submission_id
    assert len(stored(ports)) == 2


CALLS = [("posts", "accept"), ("posts", "answer"), ("executions", "start"), ("slots", "save")]
DEATHS = [(*call, after, number) for call in CALLS for after in (False, True) for number in (1, 3, 5)]


@pytest.mark.parametrize("death", DEATHS, ids=str)
def test_a_request_that_died_at_any_row_is_finished_by_sending_it_again(
    ports: FakePorts, account_id: str, death: tuple[str, str, bool, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, call, after, number = death
    rows = [row(account_id, f"Row {count}") for count in range(5)]
    adapter, calls = getattr(ports, port), iter(range(1, 1000))
    do = getattr(adapter, call)

    def die(*arguments: Any) -> Any:
        turn = next(calls)
        if turn == number and not after:
            raise Killed
        answer = do(*arguments)
        if turn == number:
            raise Killed
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(adapter, call, die)
        with pytest.raises(Killed):
            take(ports, rows, key="k")
    ports.clock.sleep(IN_FLIGHT_SECONDS + 1)
    again = take(ports, rows, key="k")
    assert [answer.success for answer in again] == [True] * 5
    assert {answer.post_submission_id for answer in again} == {post.post_id for post in stored(ports)}
    assert len(stored(ports)) == 5
    assert take(ports, rows, key="k") == again


@pytest.mark.parametrize("count", [0, BULK_POSTS + 1])
def test_none_and_too_many_rows_are_refused_as_a_whole(http: Http, count: int) -> None:
    answer = http.call("POST", "/v2/posts/bulk", {"posts": [row("nobody")] * count})
    assert_failed(answer, 400, "InvalidRequest" if count else "MissingParameter")


def test_over_http_the_answer_counts_the_rows(http: Http) -> None:
    account_id = http.ports.connect().account_id
    answer = http.call("POST", "/v2/posts/bulk", {"posts": [row(account_id), row("nobody")]})
    told = answer.json
    assert (answer.status, told["success"], told["accepted"], told["refused"]) == (200, False, 1, 1)
    assert set(told["results"][0]) == {"row", "success", "postSubmissionId", "status", "warnings"}
    assert {"row", "success", "error", "code", "message", "retryable"} <= set(told["results"][1])


def csv_of(account_id: str) -> str:
    head = "accountId,text,mediaUrls,privacyLevel,allowComment\r\n"
    return f'{head}{account_id},"Said ""hi"",\r\nthen left 🐇",https://media.example/film.mp4,SELF_ONLY,yes\r\n'


def test_a_table_is_read_as_rows(http: Http) -> None:
    account_id = http.ports.connect().account_id
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    answer = http.call("POST", "/v2/posts/bulk", "\ufeff" + csv_of(account_id), headers=headers)
    (post,) = stored(http.ports)
    assert answer.json["success"]
    assert post.text == 'Said "hi",\r\nthen left 🐇'
    assert (post.options.privacy_level, post.options.allow_comment) == ("SELF_ONLY", True)


@pytest.mark.parametrize("word", ["true", "True", "1", "yes"])
def test_a_dry_run_of_a_table_stores_nothing(http: Http, word: str) -> None:
    account_id = http.ports.connect().account_id
    headers = {"Content-Type": "text/csv"}
    answer = http.call("POST", "/v2/posts/bulk", csv_of(account_id), headers=headers, query={"dryRun": word})
    assert answer.json["success"]
    assert stored(http.ports) == []


def test_a_dry_run_asked_for_in_the_query_holds_for_json_too(http: Http) -> None:
    rows = {"posts": [row(http.ports.connect().account_id)]}
    answer = http.call("POST", "/v2/posts/bulk", rows, query={"dryRun": "true"})
    assert (answer.json["accepted"], stored(http.ports)) == (1, [])


def test_a_dry_run_that_is_misspelt_is_no_run_at_all(http: Http) -> None:
    account_id = http.ports.connect().account_id
    headers = {"Content-Type": "text/csv"}
    answer = http.call("POST", "/v2/posts/bulk", csv_of(account_id), headers=headers, query={"dryRun": "ture"})
    assert_failed(answer, 400, "InvalidRequest")
    assert stored(http.ports) == []


def test_a_bulk_request_may_be_larger_than_a_single_one_but_not_without_end(http: Http) -> None:
    account_id = http.ports.connect().account_id
    rows = [row(account_id, "x" * 2200) for _ in range(100)]
    assert http.call("POST", "/v2/posts/bulk", {"posts": rows}).status == 200
    assert_failed(http.call("POST", "/v2/posts/bulk", " " * (BULK_BODY_BYTES + 1)), 400, "InvalidRequest")
