"""The port Posts: what every ledger promises, and what the one in DynamoDB promises on top."""

import json
from itertools import chain

import pytest

from publisher.domain.errors import Busy, InternalServerError, InvalidRequest, PublishingFailed, ServiceUnavailable
from publisher.domain.limits import IDEMPOTENCY_DAYS
from publisher.domain.posts import Hint, Lease, Moment, Status
from publisher.ports import PostQuery
from tests.builders import NOW, a_carousel, a_post, a_request, an_upload, options, some_pictures, stored_video

DAY = 86400


def a_post_under_way(**changes):
    return a_post(
        status=Status.PROCESSING_UPLOAD,
        media=stored_video(29_957_059),
        upload=an_upload(29_957_059),
        lease=Lease(owner="worker", until=NOW + 0.1),
        last_offered_at=NOW + 1 / 3,
        confirmed=Status.FAILED,
        failure=PublishingFailed("TikTok refused it.", "Change it.", tiktok_log_id="2026").failure(),
        timeline=(Moment(step="DownloadMedia", at=NOW), Moment(step="UploadChunks", at=NOW + 2.000001)),
        warnings=("Short. 🐇",),
        post_ids=("7500000000000000001",),
        no_longer_public_at=NOW + 1 / 3,
        hint=Hint(at=NOW + 0.1, withdrawn=True),
        watch_at=NOW + 900.25,
        **changes,
    )


def photos_under_way(**changes):
    chosen = options(photo_cover_index=0, photo_title="🐇 A title", auto_add_music=True)
    return a_post(
        post_type="photo",
        media_urls=tuple(f"https://media.example/{number}.jpg" for number in range(35)),
        options=chosen,
        privacy_options=("PUBLIC_TO_EVERYONE", "SELF_ONLY"),
        status=Status.PROCESSING_UPLOAD,
        opened=2,
        pictures=some_pictures(count=35, converted=True),
        carousel=a_carousel(opened_at=NOW + 1 / 3, **changes),
    )


POSTS = [a_post(), a_post_under_way(), photos_under_way(), photos_under_way(publish_id=None)]


# Every ledger
@pytest.mark.parametrize("post", POSTS, ids=["new", "under way", "photos", "photos in doubt"])
def test_an_accepted_post_reads_back_as_it_was(ports, post):
    assert ports.posts.accept(post, None)
    assert ports.posts.get(post.post_id) == post


def test_an_unknown_post_is_none(ports):
    assert ports.posts.get("nobody") is None


def test_every_time_reads_back_to_the_last_bit(ports):
    for number in (0.1, 1 / 3, 1e-7, 1790000000.1234567, 2**53 + 1.0, 1.7976e100, 0.0, 1e22):
        post = a_post(updated_at=number)
        ports.posts.accept(post, None)
        assert ports.posts.get(post.post_id).updated_at == number


def test_a_saved_post_has_the_next_version_and_reads_back_as_returned(ports):
    post = a_post()
    ports.posts.accept(post, None)
    saved = ports.posts.save(a_post_under_way(post_id=post.post_id))
    assert saved.version == 1
    assert ports.posts.get(post.post_id) == saved


def test_what_is_taken_away_is_gone(ports):
    post = a_post_under_way()
    ports.posts.accept(post, None)
    taken = {"upload": None, "lease": None, "watch_at": None, "hint": None, "failure": None, "post_ids": ()}
    saved = ports.posts.save(post.model_copy(update=taken))
    assert ports.posts.get(post.post_id) == saved == post.model_copy(update={**taken, "version": 1})


def test_an_offer_that_is_taken_back_is_gone(ports):
    post = photos_under_way(publish_id=None)
    ports.posts.accept(post, None)
    saved = ports.posts.save(post.model_copy(update={"carousel": None}))
    assert ports.posts.get(post.post_id) == saved == post.model_copy(update={"carousel": None, "version": 1})


def test_a_post_that_somebody_else_has_changed_is_not_saved(ports):
    post = a_post()
    ports.posts.accept(post, None)
    theirs = ports.posts.save(post.model_copy(update={"text": "theirs"}))
    with pytest.raises(Busy):
        ports.posts.save(post.model_copy(update={"text": "mine"}))
    assert ports.posts.get(post.post_id) == theirs


def test_a_post_that_was_never_accepted_is_not_saved(ports):
    post = a_post()
    with pytest.raises(Busy):
        ports.posts.save(post)
    assert ports.posts.get(post.post_id) is None


def test_of_24_workers_that_save_one_version_one_wins(ports, race):
    post = a_post()
    ports.posts.accept(post, None)
    outcomes = race(lambda number: ports.posts.save(post.model_copy(update={"text": str(number)})), 24)
    (winner,) = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 23
    assert ports.posts.get(post.post_id) == winner


def test_a_request_is_stored_with_its_post(ports):
    post = a_post()
    assert ports.posts.accept(post, a_request(post, key="any key: é 🐇 #"))
    assert ports.posts.request(post.workspace_id, "any key: é 🐇 #") == a_request(post, key="any key: é 🐇 #")


def test_a_known_key_stores_nothing(ports):
    first, second = a_post(), a_post()
    ports.posts.accept(first, a_request(first))
    assert not ports.posts.accept(second, a_request(second))
    assert ports.posts.get(second.post_id) is None
    assert ports.posts.request(first.workspace_id, "key-1") == a_request(first)


def test_accepting_a_post_again_is_no_second_request(ports):
    post = a_post()
    assert ports.posts.accept(post, a_request(post))
    assert ports.posts.accept(post, a_request(post))


def test_accepting_again_does_not_undo_what_happened_since(ports):
    post = a_post()
    ports.posts.accept(post, a_request(post))
    saved = ports.posts.save(post.model_copy(update={"text": "later"}))
    ports.posts.accept(post, a_request(post))
    assert ports.posts.get(post.post_id) == saved


def test_a_key_belongs_to_its_workspace(ports):
    mine, theirs = a_post(), a_post(workspace_id="workspace-2")
    assert ports.posts.accept(mine, a_request(mine))
    assert ports.posts.accept(theirs, a_request(theirs))


def test_of_20_posts_with_one_key_one_is_accepted(ports, race):
    posts = [a_post() for _ in range(20)]
    outcomes = race(lambda number: ports.posts.accept(posts[number], a_request(posts[number])), 20)
    assert sorted(outcomes) == [False] * 19 + [True]
    stored = [post for post in posts if ports.posts.get(post.post_id)]
    assert [post.post_id for post in stored] == [ports.posts.request("workspace-1", "key-1").post_id]


def test_a_key_is_forgotten_after_its_days(ports):
    old, new = a_post(), a_post()
    ports.posts.accept(old, a_request(old))
    ports.clock.time += IDEMPOTENCY_DAYS * DAY + 1
    assert ports.posts.request("workspace-1", "key-1") is None
    assert ports.posts.accept(new, a_request(new))


def test_the_first_answer_stays(ports):
    post = a_post()
    ports.posts.accept(post, a_request(post))
    ports.posts.answer(a_request(post), '{"first":1}')
    ports.posts.answer(a_request(post), '{"second":2}')
    assert ports.posts.request("workspace-1", "key-1").answer == '{"first":1}'


def test_an_answer_to_an_unknown_request_is_not_kept(ports):
    ports.posts.answer(a_request(a_post()), "{}")
    assert ports.posts.request("workspace-1", "key-1") is None


def test_of_24_workers_that_take_over_a_request_one_does(ports, race):
    post = a_post()
    ports.posts.accept(post, a_request(post, in_flight_until=NOW + 30))
    outcomes = race(lambda _: ports.posts.take_over(a_request(post), NOW + 30, NOW + 60), 24)
    assert sorted(outcomes) == [False] * 23 + [True]
    assert ports.posts.request("workspace-1", "key-1").in_flight_until == NOW + 60


def test_a_request_is_not_taken_over_in_its_time_or_when_answered(ports):
    post = a_post()
    request = a_request(post, in_flight_until=NOW + 30)
    ports.posts.accept(post, request)
    assert not ports.posts.take_over(request, NOW + 29.9, NOW + 60)
    ports.posts.answer(request, "{}")
    assert not ports.posts.take_over(request, NOW + 31, NOW + 61)


def pages(posts, **query):
    """All pages of a list, each as ids."""
    cursor, found = None, []
    while True:
        page = posts.find(PostQuery(workspace_id="workspace-1", cursor=cursor, **query))
        found.append([post.post_id for post in page.posts])
        if (cursor := page.cursor) is None:
            return found


@pytest.fixture
def eleven(ports):
    """Eleven posts, oldest first, two at a time: every third is FAILED, every other of account-2. And a stranger's."""
    posts = [
        a_post(
            created_at=NOW + number // 2 / 4,
            status=Status.QUEUED if number % 3 else Status.FAILED,
            account_id="account-1" if number % 2 else "account-2",
        )
        for number in range(11)
    ]
    for post in (*posts, a_post(workspace_id="workspace-2")):
        ports.posts.accept(post, a_request(post, key=post.post_id))
    return sorted(posts, key=lambda post: (post.created_at, post.post_id))


def test_pages_hold_every_post_once_newest_first_and_are_full(ports, eleven):
    for limit in (1, 2, 3, 10, 11, 12, 100):
        found = pages(ports.posts, limit=limit)
        assert [*chain(*found)] == [post.post_id for post in reversed(eleven)]
        assert all(len(page) == limit for page in found[:-1])
        assert found[-1]


@pytest.mark.parametrize("wanted", [{"status": Status.FAILED}, {"account_id": "account-1"}, {"status": "REVIEW"}])
def test_pages_are_full_although_a_filter_drops_posts(ports, eleven, wanted):
    right = [post.post_id for post in reversed(eleven) if all(getattr(post, k) == v for k, v in wanted.items())]
    for limit in (1, 2, 3, 4, 5):
        found = pages(ports.posts, limit=limit, **wanted)
        assert [*chain(*found)] == right
        assert all(len(page) == limit for page in found[:-1])


def test_filters_hold_together(ports, eleven):
    since, until = NOW + 0.25, NOW + 1.25
    found = pages(ports.posts, status=Status.FAILED, account_id="account-1", since=since, until=until)
    right = [
        post.post_id
        for post in reversed(eleven)
        if post.status == Status.FAILED and post.account_id == "account-1" and since <= post.created_at < until
    ]
    assert right
    assert found == [right]


def test_since_is_included_and_until_is_not(ports, eleven):
    (found,) = pages(ports.posts, since=NOW + 0.5, until=NOW + 1)
    assert set(found) == {post.post_id for post in eleven if post.created_at in (NOW + 0.5, NOW + 0.75)}


def test_a_time_that_ends_before_it_begins_holds_nothing(ports, eleven):
    for until in (NOW + 0.5, NOW + 0.25):
        assert pages(ports.posts, since=NOW + 0.5, until=until) == [[]]


def test_a_cursor_counts_in_its_workspace_only(ports, eleven):
    cursor = ports.posts.find(PostQuery(workspace_id="workspace-1", limit=2)).cursor
    with pytest.raises(InvalidRequest) as refused:
        ports.posts.find(PostQuery(workspace_id="workspace-2", cursor=cursor))
    assert refused.value.field == "cursor"


def test_a_garbled_cursor_is_refused(ports, eleven):
    cursor = ports.posts.find(PostQuery(workspace_id="workspace-1", limit=2)).cursor
    for garbled in ("", "garbage", "é", "====", "AAAA", f"{cursor}A", f"x{cursor}", cursor[:-4], "../../etc/passwd"):
        with pytest.raises(InvalidRequest):
            ports.posts.find(PostQuery(workspace_id="workspace-1", cursor=garbled))


def test_posts_are_due_from_their_time_on_the_longest_overdue_first(ports):
    late = [a_post(watch_at=NOW - number) for number in range(30)]
    for post in (*late, a_post(watch_at=NOW + 0.5), a_post()):
        ports.posts.accept(post, None)
    oldest_first = [post.post_id for post in reversed(late)]
    assert ports.posts.due(NOW, 100) == oldest_first
    assert ports.posts.due(NOW, 7) == oldest_first[:7]


def test_a_post_that_is_not_watched_any_more_is_not_due(ports):
    post = a_post(watch_at=NOW)
    ports.posts.accept(post, None)
    ports.posts.save(post.model_copy(update={"watch_at": None}))
    assert ports.posts.due(NOW + DAY, 10) == []


@pytest.mark.parametrize("kind", ["video", "photo"])
def test_a_post_is_found_by_tiktoks_id_from_the_moment_it_is_recorded(ports, kind):
    post = a_post(workspace_id="workspace-2")
    ports.posts.accept(post, None)
    ports.posts.accept(a_post(upload=an_upload(publish_id="other")), None)
    assert ports.posts.of_publish("mine") is None
    opened = (
        {"upload": an_upload(publish_id="mine")} if kind == "video" else {"carousel": a_carousel(publish_id="mine")}
    )
    saved = ports.posts.save(post.model_copy(update=opened))
    assert ports.posts.of_publish("mine") == post.post_id
    ports.posts.save(saved.model_copy(update={"upload": None, "carousel": None}))
    assert ports.posts.of_publish("mine") is None


def test_a_post_is_found_by_the_id_under_which_tiktok_shows_it(ports):
    post = a_post()
    ports.posts.accept(post, None)
    ports.posts.accept(a_post(post_ids=("72",)), None)
    assert ports.posts.of_video("71") is None
    saved = ports.posts.save(post.model_copy(update={"post_ids": ("71", "73")}))
    assert ports.posts.of_video("71") == post.post_id
    ports.posts.save(saved.model_copy(update={"post_ids": ()}))
    assert ports.posts.of_video("71") is None


# DynamoDB
def test_only_watched_posts_are_in_the_index_of_watched_posts(aws_ports):
    post = a_post()
    aws_ports.posts.accept(post, None)
    watched = aws_ports.posts.save(post.model_copy(update={"watch_at": NOW}))
    assert {"watch", "watch_at"} <= item(aws_ports, post).keys()
    aws_ports.posts.save(watched.model_copy(update={"watch_at": None}))
    assert not {"watch", "watch_at"} & item(aws_ports, post).keys()


def item(aws_ports, post):
    key = {"pk": {"S": f"post#{post.post_id}"}}
    return aws_ports.aws.clients["dynamodb"].get_item(TableName="PostsTable", Key=key)["Item"]


def test_a_save_whose_answer_was_lost_recognizes_itself(aws_ports):
    post = a_post()
    aws_ports.posts.accept(post, None)
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    saved = aws_ports.posts.save(post)
    assert saved.version == 1
    assert aws_ports.posts.get(post.post_id) == saved


def test_a_taking_over_whose_answer_was_lost_recognizes_itself(aws_ports):
    post = a_post()
    aws_ports.posts.accept(post, a_request(post))
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    assert aws_ports.posts.take_over(a_request(post), NOW + 30, NOW + 60)


@pytest.mark.parametrize("with_request", [True, False])
def test_an_acceptance_whose_answer_was_lost_recognizes_itself(aws_ports, with_request):
    post = a_post()
    aws_ports.aws.lose_answer("dynamodb", "TransactWriteItems")
    assert aws_ports.posts.accept(post, a_request(post) if with_request else None)
    assert aws_ports.posts.get(post.post_id) == post


def cancelled(*reasons):
    return {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }


def test_transactions_in_each_others_way_are_tried_again(aws_ports):
    post = a_post()
    refused = aws_ports.aws.answer(
        "dynamodb", "TransactWriteItems", 400, cancelled("None", "TransactionConflict"), times=3
    )
    assert aws_ports.posts.accept(post, a_request(post))
    assert len(refused) == 3


@pytest.mark.parametrize(("reason", "error"), [("TransactionConflict", Busy), ("ThrottlingError", ServiceUnavailable)])
def test_a_transaction_that_stays_cancelled_can_be_tried_later(aws_ports, reason, error):
    post = a_post()
    aws_ports.aws.answer("dynamodb", "TransactWriteItems", 400, cancelled("None", reason))
    with pytest.raises(error):
        aws_ports.posts.accept(post, None)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "ThrottlingException", ServiceUnavailable),
        (400, "ProvisionedThroughputExceededException", ServiceUnavailable),
        (500, "InternalServerError", ServiceUnavailable),
        (400, "AccessDeniedException", InternalServerError),
        (400, "ValidationException", InternalServerError),
    ],
)
def test_what_aws_says_becomes_an_error_that_names_no_resource(aws_ports, status, code, error):
    message = "arn:aws:dynamodb:eu-central-1:123456789012:table/PostsTable"
    aws_ports.aws.answer("dynamodb", "GetItem", status, {"__type": code, "message": message})
    with pytest.raises(error) as raised:
        aws_ports.posts.get("post")
    assert code in raised.value.error
    assert "arn:" not in f"{raised.value.error} {raised.value.message}"
    assert "PostsTable" not in f"{raised.value.error} {raised.value.message}"


def test_every_single_read_is_consistent(aws_ports):
    asked = []
    aws_ports.aws.break_in("dynamodb", "GetItem", lambda request, **_: asked.append(json.loads(request.body)))
    aws_ports.posts.get("post")
    aws_ports.posts.request("workspace-1", "key")
    aws_ports.accounts.get("account")
    aws_ports.accounts.find_open_id("open")
    aws_ports.keys.get("key")
    assert [request["ConsistentRead"] for request in asked] == [True] * 5


def test_an_expired_request_that_dynamodb_still_holds_is_taken_over_by_a_new_one(aws_ports):
    old, new = a_post(), a_post()
    aws_ports.posts.accept(old, a_request(old))
    aws_ports.clock.time += IDEMPOTENCY_DAYS * DAY + 1
    assert aws_ports.posts.accept(new, a_request(new))
    assert aws_ports.posts.request("workspace-1", "key-1").post_id == new.post_id
