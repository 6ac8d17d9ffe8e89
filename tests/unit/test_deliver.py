"""What happened reaches the endpoints: each notice at least once, by whatever way it came about, whoever dies."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from deliver.app import on_notice
from publisher.domain.endpoints import DeliveryState, Endpoint, disabled
from publisher.domain.errors import Busy, InternalServerError, ServiceUnavailable, TokenExpired
from publisher.domain.posts import Hint, Post, Status, hinted
from publisher.ports import DeliveryKey, Reply
from publisher.use_cases.cancel_post import cancel_post
from publisher.use_cases.deliver import Sent, deliver
from publisher.use_cases.disconnect import disconnect
from publisher.use_cases.manage_endpoints import add_endpoint, edit_endpoint, remove_endpoint, rotate_secret
from publisher.use_cases.redeliver import redeliver
from publisher.use_cases.retry_post import retry_post
from publisher.use_cases.sweep import sweep
from publisher.use_cases.take_drop import take_drop
from publisher.use_cases.use_access_token import use_access_token
from tests.builders import NOW
from tests.fakes import FakePorts, Killed, SentNotice
from tests.unit.work import FILM, URL, Work

WORKSPACE = "workspace-1"
HOUR = 3600.0


def listen(ports: FakePorts, *events: str, workspace_id: str = WORKSPACE) -> tuple[Endpoint, SecretStr]:
    body: dict[str, Any] = {"url": "https://hooks.example/tiktok"}
    return add_endpoint(ports, workspace_id, {**body, "events": list(events)} if events else body)


def run(ports: FakePorts, keys: list[DeliveryKey] | None = None) -> Sent:
    return deliver(ports, keys, seconds_left=lambda: 100)


def send_nudged(ports: FakePorts) -> Sent:
    """Do what the function that was nudged does."""
    keys, ports.courier.nudged = ports.courier.nudged, []
    return run(ports, keys)


def swept(ports: FakePorts) -> None:
    sweep(ports, seconds_left=lambda: 100)


def work_of(ports: FakePorts, **changes: Any) -> Work:
    ports.fetcher.media[URL] = FILM
    work = Work(ports)
    work.accept(**changes)
    return work


def told(ports: FakePorts) -> list[str]:
    """The types that reached endpoints, by name, since several are sent at once."""
    return sorted(json.loads(sent.body)["type"] for sent in ports.sender.sent)


def log_of(ports: FakePorts, endpoint: Endpoint) -> list[DeliveryState]:
    return [one.state for one in ports.endpoints.deliveries(endpoint.endpoint_id, 100, None).deliveries]


def signed_with(sent: SentNotice, secret: SecretStr) -> bool:
    """Whether an implementation that is not ours makes one of the request's signatures with this secret."""
    at = datetime.fromtimestamp(int(sent.headers["webhook-timestamp"]), UTC)
    signature = Webhook(secret.get_secret_value()).sign(sent.headers["webhook-id"], at, sent.body)
    return signature in sent.headers["webhook-signature"].split(" ")


# What is told
def publish(ports: FakePorts) -> Work:
    work = work_of(ports)
    work.go_on()
    return work


def draft(ports: FakePorts) -> Work:
    work = work_of(ports)
    work.change(options=work.post.options.model_copy(update={"draft": True, "privacy_level": None}))
    work.go_on()
    return work


def fail(ports: FakePorts) -> Work:
    work = work_of(ports, media_urls=("https://media.example/none.mp4",))
    work.go_on()
    return work


def cancelled(ports: FakePorts) -> Work:
    work = work_of(ports)
    cancel_post(ports, WORKSPACE, work.post_id)
    return work


def unclear(ports: FakePorts) -> Work:
    work = work_of(ports)
    ports.tiktok.processing_polls = 10_000
    work.go_on()
    return work


ENDS: dict[str, Callable[[FakePorts], Work]] = {
    "post.published": publish,
    "post.sent_to_inbox": draft,
    "post.failed": fail,
    "post.cancelled": cancelled,
    "post.needs_review": unclear,
}
every_end = pytest.mark.parametrize(("name", "end"), ENDS.items())


@every_end
def test_every_outcome_is_told_at_once_and_once(ports, name, end):
    endpoint, secret = listen(ports)
    post = end(ports).post
    assert send_nudged(ports).looked_at == 1
    (sent,) = ports.sender.sent
    assert signed_with(sent, secret)
    body = json.loads(sent.body)
    assert (body["type"], set(body)) == (name, {"type", "timestamp", "data"})
    assert (body["data"]["postSubmissionId"], body["data"]["status"]) == (post.post_id, post.status)
    assert log_of(ports, endpoint) == [DeliveryState.DELIVERED]
    ports.clock.time += 10 * HOUR
    swept(ports)
    run(ports)
    assert told(ports) == [name]


@every_end
def test_a_workspace_without_endpoints_costs_one_question_and_no_further_write(ports, monkeypatch, name, end):
    listen(ports, workspace_id="workspace-2")
    asked, stored = list[str](), list[Post]()
    find: Callable[[str], Sequence[Endpoint]] = ports.endpoints.of_workspace
    save: Callable[[Post], Post] = ports.posts.save

    def count(workspace_id: str) -> Sequence[Endpoint]:
        asked.append(workspace_id)
        return find(workspace_id)

    def keep(post: Post) -> Post:
        stored.append(post)
        return save(post)

    monkeypatch.setattr(ports.endpoints, "of_workspace", count)
    monkeypatch.setattr(ports.posts, "save", keep)
    work = end(ports)
    assert (work.post.unnoticed, asked) == (False, [WORKSPACE])
    assert not any(post.unnoticed for post in stored)
    assert ports.endpoints.due(NOW + 1e9, 9) == []


def test_an_endpoint_hears_only_what_it_chose(ports):
    listen(ports, "post.failed", "post.cancelled")
    for end in ENDS.values():
        end(ports)
    send_nudged(ports)
    assert told(ports) == ["post.cancelled", "post.failed"]


def test_a_workspace_hears_nothing_of_another_one(ports):
    listen(ports, workspace_id="workspace-2")
    publish(ports)
    send_nudged(ports)
    assert told(ports) == []


def test_a_draft_that_the_creator_publishes_is_told_of_again(ports):
    listen(ports)
    work = draft(ports)
    assert work.post.publish_id is not None
    ports.tiktok.finish_draft(work.post.publish_id)
    ports.clock.time += 86400
    swept(ports)
    send_nudged(ports)
    assert told(ports) == ["post.published", "post.sent_to_inbox"]


def test_a_failed_post_that_is_tried_again_tells_its_second_outcome_too_under_an_id_of_its_own(ports):
    listen(ports)
    work = fail(ports)
    retry_post(ports, WORKSPACE, work.post_id, {}, seconds_left=25)
    work.go_on()
    send_nudged(ports)
    assert told(ports) == ["post.failed", "post.failed"]
    assert len({sent.headers["webhook-id"] for sent in ports.sender.sent}) == 2


def test_a_person_who_says_that_an_unclear_post_is_not_there_begins_it_again_and_hears_of_no_failure(ports):
    listen(ports)
    work = unclear(ports)
    ports.tiktok.uploads.clear()
    retry_post(ports, WORKSPACE, work.post_id, {"published": False}, seconds_left=25)
    swept(ports)
    send_nudged(ports)
    assert told(ports) == ["post.needs_review"]


def replaced_drop(ports: FakePorts) -> None:
    """A dropped file is put again before its post has started."""
    account = ports.connect(account_id="6a1f7f0e-3d0e-4c58-9c55-0d5a2f6f0001")
    key = f"autopublish/{account.account_id}/film.mp4"
    ports.drops.drop(f"{key}.json", json.dumps({"text": "A", "privacyLevel": "PUBLIC_TO_EVERYONE"}).encode())
    for film in (FILM, FILM + b"\0"):
        later = {"scheduledTime": "2026-12-01T10:00:00Z", "privacyLevel": "PUBLIC_TO_EVERYONE"}
        ports.drops.drop(f"{key}.json", json.dumps(later).encode())
        ports.drops.drop(key, film)
        take_drop(ports, key, seconds_left=25)


def hinted_outcome(ports: FakePorts) -> None:
    """TikTok tells by an event that a post is there, before its machine asks."""
    ports.tiktok.processing_polls = 0
    work = work_of(ports)
    for step in ("DownloadMedia", "InitializePost", "UploadChunks"):
        work.run(step)
    ports.executions.start(work.post)
    ports.posts.save(hinted(work.post, Hint(at=ports.clock.now())))
    swept(ports)
    assert work.post.status is Status.PUBLISH_COMPLETE


def answered_by_a_person(ports: FakePorts) -> None:
    """A person has seen an unclear post."""
    work = work_of(ports, status=Status.REVIEW, last_offered_at=NOW)
    retry_post(ports, WORKSPACE, work.post_id, {"published": True}, seconds_left=25)


def given_up_by_the_sweep(ports: FakePorts) -> None:
    """A post's execution died as often as it may."""
    work_of(ports, revision=99, watch_at=NOW)
    swept(ports)


@pytest.mark.parametrize(
    ("end", "name"),
    [
        (replaced_drop, "post.cancelled"),
        (hinted_outcome, "post.published"),
        (answered_by_a_person, "post.published"),
        (given_up_by_the_sweep, "post.failed"),
    ],
)
def test_an_outcome_is_told_at_once_wherever_it_is_written(ports, end, name):
    listen(ports)
    end(ports)
    send_nudged(ports)
    assert told(ports) == [name]


# Accounts
def test_an_account_whose_token_tiktok_refuses_is_told_of_within_a_minute(ports):
    listen(ports)
    account = ports.connect(watch_at=NOW + 30 * 86400)
    for _ in range(2):
        ports.tiktok.faults.before("creator", TokenExpired("Refused.", "Connect."))
    with pytest.raises(TokenExpired):
        use_access_token(ports, account.account_id, ports.tiktok.creator, seconds_left=100)
    swept(ports)
    send_nudged(ports)
    assert told(ports) == ["account.reauthorize"]
    (sent,) = ports.sender.sent
    assert json.loads(sent.body)["data"]["state_reason"] == "TikTok refuses the account's token."


def test_the_states_of_an_account_are_told_within_a_minute(ports):
    listen(ports)
    account = ports.connect(noticed=None, watch_at=NOW)
    swept(ports)
    send_nudged(ports)
    ports.clock.time += 30
    ports.tiktok.faults.before("revoke", ServiceUnavailable("Down.", "Again."))
    disconnect(ports, WORKSPACE, account.account_id, seconds_left=25)
    ports.clock.time += 60
    swept(ports)
    send_nudged(ports)
    assert told(ports) == ["account.active", "account.disconnected"]
    data = [json.loads(sent.body)["data"] for sent in ports.sender.sent]
    assert [(one["account_id"], one["state"]) for one in data] == [
        (account.account_id, "active"),
        (account.account_id, "disconnected"),
    ]
    assert "sealed" not in "".join(sent.body for sent in ports.sender.sent)


def test_an_account_that_ends_with_time_is_told_of(ports):
    listen(ports)
    account = ports.connect(watch_at=NOW)
    tokens = account.tokens
    dying = tokens.model_copy(update={"refresh_expires_at": NOW + 86400, "expires_at": NOW - 1})
    ports.accounts.save(account.model_copy(update={"tokens": dying}))
    ports.tiktok.faults.before("refresh", ServiceUnavailable("Down.", "Again."))
    swept(ports)
    assert ports.accounts.get(account.account_id).noticed == "expiring"
    ports.clock.time += 2 * 86400
    swept(ports)
    send_nudged(ports)
    assert told(ports) == ["account.expiring", "account.reauthorize"]


def test_when_telling_of_an_account_fails_it_is_told_later(ports):
    listen(ports)
    account = ports.connect(noticed=None, watch_at=NOW)
    ports.endpoints.faults.before("of_workspace", ServiceUnavailable("Down.", "Again."))
    swept(ports)
    assert ports.courier.nudged == []
    ports.clock.time += 120
    swept(ports)
    send_nudged(ports)
    assert told(ports) == ["account.active"]
    assert ports.accounts.get(account.account_id).watch_at > ports.clock.now() + 86400


# Whoever dies
POINTS = [
    ("endpoints", "of_workspace", 1),
    ("endpoints", "of_workspace", 2),
    ("endpoints", "begin", 1),
    ("courier", "nudge", 1),
    ("posts", "save", 1),
    ("posts", "save", 2),
]
"""A port, its method, and which call of it."""
DEATHS = [Killed(), ServiceUnavailable("Down.", "Again."), InternalServerError("Ours.", "Tell us."), Busy("b", "b")]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("death", DEATHS, ids=lambda death: type(death).__name__)
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_whatever_breaks_while_an_outcome_is_told_it_is_told_under_one_id(ports, point, death, late):
    port, call, nth = point
    listen(ports)
    work = work_of(ports)
    faults = getattr(ports, port).faults
    hurt = faults.after if late else faults.before
    if nth == 2:
        faults.spare(call)
    hurt(call, death)
    for _ in range(3):
        try:
            cancel_post(ports, WORKSPACE, work.post_id)
        except (Killed, ServiceUnavailable, InternalServerError, Busy):
            continue
        break
    for _ in range(4):
        ports.clock.time += 130
        swept(ports)
        send_nudged(ports)
        run(ports)
    assert work.post.status is Status.CANCELLED
    assert set(told(ports)) == {"post.cancelled"}
    assert len({sent.headers["webhook-id"] for sent in ports.sender.sent}) == 1
    assert not work.post.unnoticed
    assert work.post.watch_at is None


@pytest.mark.parametrize("call", ["of_workspace", "begin"])
def test_an_outcome_is_stored_whatever_is_wrong_with_telling_it_and_told_as_soon_as_that_works(ports, call):
    listen(ports)
    work = work_of(ports)
    for _ in range(4):
        ports.endpoints.faults.before(call, ServiceUnavailable("Down.", "Again."))
    assert cancel_post(ports, WORKSPACE, work.post_id).status is Status.CANCELLED
    for _ in range(5):
        swept(ports)
        ports.clock.time += 121
    send_nudged(ports)
    assert told(ports) == ["post.cancelled"]
    assert work.post.watch_at is None


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("call", ["delivery", "get", "move", "save", "due"])
@pytest.mark.parametrize("error", [Killed(), ServiceUnavailable("Down.", "Again.")], ids=["killed", "down"])
def test_whatever_breaks_while_a_notice_is_sent_it_arrives(ports, call, late, error):
    endpoint, _ = listen(ports)
    cancelled(ports)
    ports.courier.nudged = []
    faults = ports.endpoints.faults
    (faults.after if late else faults.before)(call, error)
    with suppress(Killed, ServiceUnavailable):
        run(ports)
    for _ in range(3):
        ports.clock.time += 61
        run(ports)
    assert set(told(ports)) == {"post.cancelled"}
    assert log_of(ports, endpoint) == [DeliveryState.DELIVERED]


def test_a_lost_nudge_delays_a_notice_to_the_next_minute(ports):
    listen(ports)
    ports.courier.faults.before("nudge", ServiceUnavailable("Down.", "Again."))
    cancelled(ports)
    assert run(ports) == Sent(looked_at=1, errors={})
    assert told(ports) == ["post.cancelled"]


# Trying again
def test_an_endpoint_that_fails_first_gets_the_same_notice_again_until_it_takes_it(ports):
    endpoint, _ = listen(ports)
    cancelled(ports)
    ports.sender.replies.extend(
        [Reply(status=None, error="It could not be reached."), Reply(status=302), Reply(status=503)]
    )
    send_nudged(ports)
    assert run(ports).looked_at == 0
    for wait in (5, 300, 1800):
        ports.clock.time += wait
        run(ports)
    assert len({(sent.headers["webhook-id"], sent.body) for sent in ports.sender.sent}) == 1
    assert len({sent.headers["webhook-signature"] for sent in ports.sender.sent}) == 4
    (delivery,) = ports.endpoints.deliveries(endpoint.endpoint_id, 9, None).deliveries
    assert [attempt.status for attempt in delivery.tries] == [None, 302, 503, 204]
    assert [attempt.error for attempt in delivery.tries] == [
        "It could not be reached.",
        "It answered 302, which is not a success.",
        "It answered 503, which is not a success.",
        None,
    ]
    assert {attempt.milliseconds for attempt in delivery.tries} == {250}
    assert delivery.state is DeliveryState.DELIVERED


def pass_hours(ports: FakePorts, hours: float) -> None:
    """Let the clock run, with a run of the function whenever something is due."""
    until = ports.clock.time + hours * HOUR
    while True:
        due = [one.watch_at for one in ports.endpoints._deliveries.values() if one.watch_at is not None]
        if not due or min(due) > until:
            break
        ports.clock.time = max(ports.clock.time, *due[:1], min(due))
        run(ports)
    ports.clock.time = max(until, ports.clock.time)


def test_an_endpoint_that_takes_nothing_for_72_hours_is_disabled_and_says_so(ports):
    endpoint, _ = listen(ports)
    ports.sender.usual = Reply(status=500)
    cancelled(ports)
    pass_hours(ports, 60)
    assert ports.endpoints.get(endpoint.endpoint_id).disabled_at is None
    pass_hours(ports, 12)
    dead = ports.endpoints.get(endpoint.endpoint_id)
    assert dead.disabled_at is not None
    assert dead.disabled_because == "It took nothing for 72 hours."
    assert log_of(ports, endpoint) == [DeliveryState.FAILED]
    assert len(told(ports)) == 10
    cancelled(ports)
    assert log_of(ports, endpoint) == [DeliveryState.FAILED]
    edit_endpoint(ports, WORKSPACE, endpoint.endpoint_id, {"enabled": True})
    ports.sender.usual = Reply(status=200)
    cancelled(ports)
    send_nudged(ports)
    assert log_of(ports, endpoint) == [DeliveryState.DELIVERED, DeliveryState.FAILED]


def test_an_endpoint_that_refuses_one_notice_and_takes_others_stays(ports):
    endpoint, _ = listen(ports)
    cancelled(ports)
    first = ports.courier.nudged[0].notice_id
    ports.sender.usual = Reply(status=500)
    send_nudged(ports)
    pass_hours(ports, 20)
    ports.sender.usual = Reply(status=200)
    ports.sender.replies.clear()
    cancelled(ports)
    send_nudged(ports)
    ports.sender.usual = Reply(status=500)
    pass_hours(ports, 60)
    assert ports.endpoints.get(endpoint.endpoint_id).disabled_at is None
    delivery = ports.endpoints.delivery(DeliveryKey(endpoint_id=endpoint.endpoint_id, notice_id=first))
    assert delivery.state is DeliveryState.FAILED


def test_an_endpoint_that_is_gone_is_disabled_at_once(ports):
    endpoint, _ = listen(ports)
    ports.sender.usual = Reply(status=410)
    cancelled(ports)
    send_nudged(ports)
    assert (
        ports.endpoints.get(endpoint.endpoint_id).disabled_because == "It answered 410 Gone: it wants no more notices."
    )
    assert log_of(ports, endpoint) == [DeliveryState.FAILED]
    pass_hours(ports, 80)
    assert len(told(ports)) == 1


@pytest.mark.parametrize(
    "end",
    [
        lambda ports, one: remove_endpoint(ports, WORKSPACE, one.endpoint_id),
        lambda ports, one: ports.endpoints.save(disabled(one, "x", NOW)),
    ],
)
def test_what_is_on_its_way_to_an_endpoint_that_ends_is_not_sent(ports, end):
    endpoint, _ = listen(ports)
    cancelled(ports)
    end(ports, endpoint)
    send_nudged(ports)
    assert told(ports) == []
    assert log_of(ports, endpoint) == [DeliveryState.FAILED]


def test_a_secret_that_is_replaced_still_signs_for_a_day(ports):
    endpoint, former = listen(ports)
    _, present = rotate_secret(ports, WORKSPACE, endpoint.endpoint_id)
    cancelled(ports)
    ports.clock.time += 86_000
    run(ports)
    assert [signed_with(ports.sender.sent[0], secret) for secret in (former, present)] == [True, True]
    cancelled(ports)
    ports.clock.time += 400
    run(ports)
    assert [signed_with(ports.sender.sent[1], secret) for secret in (former, present)] == [False, True]


# Many workers
def test_of_many_workers_one_sends(ports):
    listen(ports)
    cancelled(ports)
    keys = ports.courier.nudged
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: run(ports, keys), range(16)))
    assert told(ports) == ["post.cancelled"]


def test_what_one_worker_sends_no_other_sends_until_that_one_is_taken_for_dead(ports, monkeypatch):
    listen(ports)
    cancelled(ports)
    send: Callable[..., Reply] = ports.sender.send

    def send_while_others_come(*request: Any) -> Reply:
        monkeypatch.setattr(ports.sender, "send", send)
        for seconds in (0, 59):
            ports.clock.time += seconds
            run(ports)
            assert told(ports) == []
        return send(*request)

    monkeypatch.setattr(ports.sender, "send", send_while_others_come)
    run(ports)
    assert told(ports) == ["post.cancelled"]


def test_a_worker_without_time_leaves_the_rest_to_the_next_one(ports):
    endpoint, _ = listen(ports)
    for _ in range(3):
        cancelled(ports)
    deliver(ports, None, seconds_left=lambda: 19)
    assert log_of(ports, endpoint) == [DeliveryState.PENDING] * 3
    run(ports)
    assert log_of(ports, endpoint) == [DeliveryState.DELIVERED] * 3


def test_one_that_cannot_be_sent_stops_no_other_and_what_is_not_ours_counts_as_failed(ports):
    listen(ports)
    for _ in range(3):
        cancelled(ports)
    ports.vault.faults.before("unseal", InternalServerError("A stored secret does not open.", "Look."))
    sent = run(ports)
    assert (sent.looked_at, list(sent.errors.values())) == (3, ["InternalServerError: A stored secret does not open."])
    assert len(told(ports)) == 2
    ports.clock.time += 61
    ports.vault.faults.before("unseal", ZeroDivisionError())
    with pytest.raises(ExceptionGroup, match="what could not be delivered"):
        run(ports)


def test_redelivering_sends_the_same_notice_again(ports):
    endpoint, _ = listen(ports)
    cancelled(ports)
    send_nudged(ports)
    (first,) = ports.sender.sent
    redeliver(ports, WORKSPACE, endpoint.endpoint_id, first.headers["webhook-id"])
    send_nudged(ports)
    again: SentNotice = ports.sender.sent[1]
    assert (again.headers["webhook-id"], again.body) == (first.headers["webhook-id"], first.body)


def test_the_function_sends_what_its_event_names_or_all_that_is_due(ports):
    listen(ports)
    cancelled(ports), cancelled(ports)
    one, _ = ports.courier.nudged
    assert on_notice({"deliveries": [one.model_dump()]}, ports, lambda: 100) == {"looked_at": 1, "errors": {}}
    assert on_notice({"deliveries": [one.model_dump()]}, ports, lambda: 100) == {"looked_at": 1, "errors": {}}
    assert len(told(ports)) == 1
    assert on_notice({}, ports, lambda: 100) == {"looked_at": 1, "errors": {}}
    assert len(told(ports)) == 2
