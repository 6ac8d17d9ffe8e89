"""The HTTP entry: who calls, what with, how long, and every error as the documented answer."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from publisher.domain import errors
from publisher.domain.errors import Failure, InvalidPost, PublisherError, RequestInvalid
from publisher.domain.posts import Moment, Status, finish
from publisher.ports import PostQuery
from publisher.web import STATUS, status_of
from tests.builders import NOW, a_post, an_upload, stored_video
from tests.fakes import FakePorts, Killed
from tests.unit.conftest import Http, HttpAnswer, assert_failed

SEVEN = {"success", "postSubmissionId", "platform", "post_type", "publish_id", "status", "message"}
OURS = {"label", "consent", "warnings", "statusUrl", "requestId"}
HTML = {"Accept": "text/html,application/xhtml+xml"}
REFUSED = Failure(
    name="VideoProcessingFailed",
    code="VideoProcessingFailed",
    error="TikTok does not take the video's length.",
    message="Export the video anew.",
    retryable=False,
    tiktok_code="duration_check_failed",
    tiktok_log_id="log-1",
)


@pytest.fixture
def body(ports):
    return {
        "post": {
            "accountId": ports.connect().account_id,
            "content": {"text": "#a #b #c", "mediaUrls": "https://media.example/film.mp4", "platform": "tiktok"},
            "tiktokOptions": {"privacyLevel": "PUBLIC_TO_EVERYONE"},
        }
    }


def stored_posts(ports: FakePorts):
    return ports.posts.find(PostQuery(workspace_id="workspace-1")).posts


def end_while_waiting(ports: FakePorts, status: Status, failure: Failure | None = None, **changes: object) -> None:
    """The machine ends every post while its caller waits."""

    def sleep(seconds: float) -> None:
        ports.clock.time += seconds
        for post in stored_posts(ports):
            if not post.terminal:
                ports.posts.save(finish(post.model_copy(update=changes), status, ports.clock.time, failure))

    ports.clock.sleep = sleep  # type: ignore[method-assign]


# Who calls


def test_a_key_comes_in_any_of_three_headers(http):
    for headers in (
        {"boring-api-key": http.key},
        {"X-Api-Key": http.key},
        {"Authorization": f"Bearer {http.key}"},
        {"authorization": f"bearer  {http.key} "},
    ):
        assert http.get("/v2/posts", key=None, headers=headers).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"boring-api-key": "wrong"},
        {"Authorization": "Basic dTpw"},
        {"Authorization": "Bearer"},
        {"cookie": "key=x"},
    ],
)
def test_without_a_good_key_nothing_is_answered(http, headers):
    answer = http.get("/v2/posts", key=None, headers=headers)
    assert_failed(answer, 401, "InvalidApiKey")
    assert answer.json["error"] == "Invalid or missing API key"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v2/posts", "posts:write"),
        ("GET", "/v2/posts", "posts:read"),
        ("GET", "/v2/posts/9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11", "posts:read"),
        ("GET", "/api/accounts", "accounts:read"),
        ("GET", "/oauth/tiktok/start", "accounts:write"),
    ],
)
def test_a_route_needs_its_scope(http, method, path, scope):
    others = tuple({"posts:write", "posts:read", "accounts:read", "accounts:write", "stats:read"} - {scope})
    assert_failed(http.call(method, path, {}, key=http.make_key(scopes=others)), 403, "InsufficientScope")
    assert http.call(method, path, {}, key=http.make_key(scopes=(scope,))).status not in {401, 403}
    assert http.call(method, path, {}, key=http.make_key(scopes=("admin",))).status not in {401, 403}


def test_every_route_needs_a_key_but_the_named_ones(http):
    open_to_all = {(method, path) for api in http.apis for (method, path), scope in api.routes.items() if scope is None}
    assert open_to_all == {
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/assets/{version}/{name}"),
        ("GET", "/assets/{version}/{folder}/{name}"),
        ("POST", "/v2/session"),
        ("GET", "/v2/session"),
        ("DELETE", "/v2/session"),
        ("GET", "/oauth/tiktok/callback"),
        ("GET", "/oauth/tiktok/connect/{ticket}"),
        ("GET", "/media/{prefix}/{name}"),
        ("HEAD", "/media/{prefix}/{name}"),
        ("GET", "/{name}"),
        ("GET", "/media/{name}"),
        ("POST", "/webhooks/tiktok"),
    }


def test_a_revoked_key_stops_at_once(http, ports):
    key_id = http.key[len("tkp_live_") :][:8]
    assert http.get("/v2/posts").status == 200
    ports.keys._keys[key_id] = ports.keys.get(key_id).model_copy(update={"revoked_at": NOW})
    assert_failed(http.get("/v2/posts"), 401, "InvalidApiKey")


# Bodies


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"post":}',
        "nonsense",
        "\x00",
        '{"post": {"content": {"text": "\\ud83d"}}}',
        '{"\\ud800": 1}',
        "[" * 100_000,
        '{"a":' * 30_000 + "1" + "}" * 30_000,
        '{"post": ' + "9" * 5000 + "}",
    ],
)
def test_a_body_that_is_no_json_is_refused(http, ports, text):
    answer = http.post(text)
    assert_failed(answer, 400, "InvalidRequest")
    assert answer.json["error"] == "The body is not valid JSON."
    assert stored_posts(ports) == ()


@pytest.mark.parametrize("text", ["null", "[]", '"post"', "5"])
def test_a_body_that_is_no_object_is_refused(http, text):
    assert_failed(http.post(text), 400, "InvalidRequest")


@pytest.mark.parametrize("encode", [False, True])
@pytest.mark.parametrize("extra", [0, 1, 300_000])
def test_a_body_may_have_256_kib(http, ports, encode, extra):
    text = json.dumps({"post": ""})
    answer = http.post(text + " " * (256 * 1024 - len(text) + extra), encode=encode)
    assert answer.status == 400
    assert ("larger than 256 KiB" in answer.json["error"]) is (extra > 0)
    assert stored_posts(ports) == ()


def test_a_body_in_base64_is_the_same_body(http, body):
    assert http.post(body, encode=True, headers={"Prefer": "respond-async"}).status == 202


def test_broken_base64_is_refused(http, monkeypatch):
    import base64

    monkeypatch.setattr(base64, "b64encode", lambda _: b"a")
    assert_failed(http.post({}, encode=True), 400, "InvalidRequest")


def test_a_refusal_lists_every_problem(http, body, ports):
    body["post"]["content"]["text"] = "🐇" * 1101
    body["post"]["content"]["platform"] = "youtube"
    body["scheduledTime"] = "2026-12-24 at six"
    answer = http.post(body)
    assert_failed(answer, 400, "InvalidPlatform")
    assert [(problem["field"], problem["code"]) for problem in answer.json["problems"]] == [
        ("post.content.platform", "InvalidPlatform"),
        ("scheduledTime", "InvalidRequest"),
        ("post.content.text", "TextTooLong"),
    ]
    assert answer.json["error"] == answer.json["problems"][0]["error"]
    assert all(set(problem) == {"field", "code", "error", "message"} for problem in answer.json["problems"])
    assert stored_posts(ports) == ()


def without_request_id(answer: HttpAnswer) -> str:
    return re.sub(r"request-\d+", "request-n", answer.body)


def test_another_workspaces_account_and_an_unknown_one_answer_the_same_bytes(http, body, ports):
    answers = []
    for account_id in (ports.connect(workspace_id="workspace-2").account_id, "9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11"):
        body["post"]["accountId"] = account_id
        answers.append(http.post(body))
        assert_failed(answers[-1], 400, "InvalidAccountId")
        assert answers[-1].json["error"] == "Account is not a TikTok account"
    assert without_request_id(answers[0]) == without_request_id(answers[1])
    assert answers[0].headers == answers[1].headers


def test_another_workspaces_post_and_an_unknown_one_answer_the_same_bytes(http, ports):
    theirs = a_post(workspace_id="workspace-2")
    ports.posts.accept(theirs, None)
    answers = [http.get(f"/v2/posts/{post_id}") for post_id in (theirs.post_id, a_post().post_id, "x" * 3000)]
    for answer in answers:
        assert_failed(answer, 404, "NotFound")
    assert len({without_request_id(answer) for answer in answers}) == 1


# Errors


def leaves(kind: type[PublisherError]):
    for child in kind.__subclasses__():
        yield child
        yield from leaves(child)


DOCUMENTED = {
    "InvalidApiKey": 401,
    "InvalidAccountId": 400,
    "AccountDisabled": 400,
    "TokenExpired": 401,
    "InvalidToken": 401,
    "InvalidRequest": 400,
    "MissingParameter": 400,
    "InvalidPlatform": 400,
    "MediaDownloadFailed": 400,
    "InvalidMediaType": 400,
    "InvalidMediaUrl": 400,
    "MediaTooLarge": 400,
    "MediaRequired": 400,
    "TextTooLong": 400,
    "RateLimitExceeded": 429,
    "PublishingFailed": 422,
    "VideoProcessingFailed": 422,
    "Timeout": 504,
    "ServiceUnavailable": 503,
    "InternalServerError": 500,
    "NotFound": 404,
    "InsufficientScope": 403,
    "ForgedRequest": 403,
    "IdempotencyKeyReused": 422,
    "RequestInFlight": 409,
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_an_error_answers_with_its_documented_status(http, ports, monkeypatch, name):
    def fail(_workspace_id):
        raise getattr(errors, name)("It happened.", "Do this.", tiktok_log_id="log-1")

    monkeypatch.setattr(ports.accounts, "of_workspace", fail)
    answer = http.get("/api/accounts")
    assert (answer.status, answer.json["error"], answer.json["message"]) == (
        DOCUMENTED[name],
        "It happened.",
        "Do this.",
    )
    assert answer.json["tiktok_log_id"] == "log-1"


def test_every_error_has_a_status_and_the_table_has_no_other_name():
    kinds = [kind for kind in leaves(PublisherError) if kind is not InvalidPost]
    assert all(status_of(kind("It happened.", "Do this.").failure()) >= 400 for kind in kinds)
    assert set(STATUS) <= {PublisherError, *kinds}
    assert status_of(InvalidPost([RequestInvalid("a.", "b.")]).failure()) == 400


@pytest.mark.parametrize("name", ["States.Timeout", "Lambda.Unknown", "MemoryError", ""])
def test_an_error_that_is_not_ours_is_our_fault(name):
    assert status_of(Failure(name=name, code="InternalServerError", error="e", message="m", retryable=True)) == 500


def test_a_fault_of_ours_shows_nothing_of_itself(http, ports, monkeypatch):
    def break_down(_workspace_id):
        raise RuntimeError("act.secret at https://10.0.0.1/internal")

    monkeypatch.setattr(ports.accounts, "of_workspace", break_down)
    answer = http.get("/api/accounts")
    assert_failed(answer, 500, "InternalServerError")
    assert "secret" not in answer.body
    assert "10.0.0.1" not in answer.body


def test_each_answer_names_its_own_request(http, body):
    first, second = http.get("/nowhere"), http.post(body, headers={"Prefer": "respond-async"})
    assert (first.json["requestId"], second.json["requestId"]) == ("request-1", "request-2")


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/v2/posts"), ("GET", "/v2/nothing")])
def test_a_path_that_does_not_exist_is_not_found(http, method, path):
    assert_failed(http.call(method, path), 404, "NotFound")


def test_answers_are_not_cached_sniffed_or_framed(http):
    for answer in (http.get("/"), http.get("/v2/posts"), http.get("/nowhere"), http.get("/oauth/tiktok/start")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ServiceUnavailable("TikTok has an internal problem.", "Try again."), 503),
        (errors.Timeout("TikTok did not answer.", "Try again."), 504),
        (errors.AccountDisabled("TikTok does not let him post.", "Look."), 400),
    ],
)
def test_tiktoks_trouble_at_intake_is_told_and_nothing_is_stored(http, ports, body, error, status):
    ports.tiktok.faults.before("creator", error)
    assert_failed(http.post(body), status, type(error).__name__)
    assert (stored_posts(ports), ports.executions.started) == ((), {})


def test_too_many_calls_are_told_with_a_time_to_come_back(http, ports, body):
    ports.tiktok.faults.before("creator", errors.RateLimitExceeded("Too many calls.", "Wait.", retry_after=60))
    answer = http.post(body)
    assert_failed(answer, 429, "RateLimitExceeded")
    assert (answer.headers["Retry-After"], answer.json["retryable"]) == ("60", True)


def test_an_account_to_reconnect_answers_401(http, ports, body):
    account = ports.accounts.get(body["post"]["accountId"])
    ports.accounts.save(account.model_copy(update={"reauthorize_since": NOW, "reauthorize_reason": "Refused."}))
    assert_failed(http.post(body), 401, "TokenExpired")


# Answers to POST /v2/posts


def test_a_published_post_answers_the_documented_keys(http, ports, body):
    end_while_waiting(ports, Status.PUBLISH_COMPLETE, upload=an_upload(publish_id="v_pub_file~v2-1.7577"))
    answer = http.post(body)
    post_id = answer.json["postSubmissionId"]
    assert answer.status == 200
    assert set(answer.json) == SEVEN | OURS
    assert {name: answer.json[name] for name in SEVEN} == {
        "success": True,
        "postSubmissionId": post_id,
        "platform": "tiktok",
        "post_type": "video",
        "publish_id": "v_pub_file~v2-1.7577",
        "status": "PUBLISH_COMPLETE",
        "message": "Post published successfully",
    }
    assert (answer.json["statusUrl"], answer.json["requestId"]) == (f"/v2/posts/{post_id}", "request-1")
    assert answer.json["label"] is None
    assert answer.json["consent"]["statement"] == "By posting, you agree to TikTok's Music Usage Confirmation"


def test_a_post_that_takes_longer_answers_after_25_seconds_that_it_is_under_way(http, ports, body):
    answer = http.post(body)
    assert (answer.status, answer.json["status"], answer.json["message"]) == (202, "QUEUED", "Post accepted")
    assert (answer.json["success"], answer.json["publish_id"]) == (True, None)
    assert ports.clock.now() == pytest.approx(NOW + 25)


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("respond-async", 0),
        ("Respond-Async", 0),
        ("wait=0", 0),
        ("wait=3", 3),
        ("wait = 3", 3),
        ("wait=30", 25),
        ("wait=" + "9" * 5000, 25),
        ("wait=-1", 25),
        ("wait=soon", 25),
        ("wait=٣", 25),
        ("respond-async, wait=10", 10),
        ("return=minimal", 25),
        ("", 25),
    ],
)
def test_a_caller_chooses_how_long_it_waits(http, ports, body, prefer, seconds):
    assert http.post(body, headers={"Prefer": prefer}).status == 202
    assert ports.clock.now() == pytest.approx(NOW + seconds)


def test_a_cold_start_shortens_the_wait_because_the_gateway_counts_it(http, ports, body):
    http.cold_start = 12
    assert http.post(body).status == 202
    assert ports.clock.now() == pytest.approx(NOW + 30 - 12 - 2, abs=0.01)


def test_a_gateway_whose_clock_is_ahead_lengthens_no_wait(http, ports, body):
    http.cold_start = -60
    assert http.post(body).status == 202
    assert ports.clock.now() == pytest.approx(NOW + 25)


def test_waiting_leaves_the_function_time_to_answer(http, ports, body):
    creator = ports.tiktok.creator

    def slow_creator(token):
        ports.clock.time += 20
        return creator(token)

    ports.tiktok.creator = slow_creator
    assert http.post(body).status == 202
    assert ports.clock.now() == pytest.approx(NOW + 27)


def test_a_failed_publication_answers_with_its_cause(http, ports, body):
    end_while_waiting(ports, Status.FAILED, REFUSED)
    answer = http.post(body)
    assert_failed(answer, 422, "VideoProcessingFailed")
    assert answer.json == {
        "success": False,
        "error": "TikTok does not take the video's length.",
        "code": "VideoProcessingFailed",
        "message": "Export the video anew.",
        "platform": "tiktok",
        "retryable": False,
        "requestId": "request-1",
        "postSubmissionId": stored_posts(ports)[0].post_id,
        "tiktok_log_id": "log-1",
    }


def test_a_draft_and_a_review_are_answers_and_not_errors(http, ports, body):
    for status, words in ((Status.SEND_TO_USER_INBOX, "inbox"), (Status.REVIEW, "look at the account")):
        end_while_waiting(ports, status)
        answer = http.post(body)
        assert (answer.status, answer.json["status"]) == (200, status)
        assert words in answer.json["message"]


@pytest.mark.parametrize(
    ("options", "label", "words"),
    [
        ({"brandOrganicToggle": True}, "Promotional content", "agree to TikTok's Music Usage Confirmation"),
        ({"brandContentToggle": True}, "Paid partnership", "Branded Content Policy and Music Usage Confirmation"),
        ({"brandContentToggle": True, "brandOrganicToggle": True}, "Paid partnership", "Branded Content Policy and"),
    ],
)
def test_an_answer_carries_label_and_consent(http, body, options, label, words):
    body["post"]["tiktokOptions"] |= options
    answer = http.post(body, headers={"Prefer": "respond-async"})
    assert answer.json["label"] == label
    assert words in answer.json["consent"]["statement"]
    assert all(set(link) == {"title", "url"} for link in answer.json["consent"]["links"])


# Idempotency-Key


def replayed(answer: HttpAnswer) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


@pytest.mark.parametrize(
    ("status", "code"), [(Status.PUBLISH_COMPLETE, 200), (Status.FAILED, 422), (Status.QUEUED, 202)]
)
def test_the_same_key_and_body_get_the_same_bytes(http, ports, body, status, code):
    if status is not Status.QUEUED:
        end_while_waiting(ports, status, REFUSED if status is Status.FAILED else None)
    first, second, third = [http.post(body, headers={"Idempotency-Key": "key-1"}) for _ in range(3)]
    assert (first.status, replayed(first)) == (code, False)
    for again in (second, third):
        assert (again.status, again.body, replayed(again)) == (code, first.body, True)
    assert len(stored_posts(ports)) == len(ports.executions.started) == 1


def test_a_replay_keeps_the_time_to_come_back(http, ports, body):
    too_many = REFUSED.model_copy(
        update={"name": "RateLimitExceeded", "code": "RateLimitExceeded", "retryable": True, "retry_after": 90}
    )
    end_while_waiting(ports, Status.FAILED, too_many)
    first, second = [http.post(body, headers={"Idempotency-Key": "key-1"}) for _ in range(2)]
    assert (first.status, second.status, first.headers["Retry-After"]) == (429, 429, "90")
    assert (second.headers["Retry-After"], second.body) == ("90", first.body)


def test_a_replay_does_not_wait(http, ports, body):
    http.post(body, headers={"Idempotency-Key": "key-1", "Prefer": "wait=1"})
    http.post(body, headers={"Idempotency-Key": "key-1"})
    assert ports.clock.now() == pytest.approx(NOW + 1)


def test_the_same_key_with_another_body_answers_422(http, ports, body):
    http.post(body, headers={"Idempotency-Key": "key-1", "Prefer": "respond-async"})
    body["post"]["content"]["text"] += "!"
    assert_failed(http.post(body, headers={"Idempotency-Key": "key-1"}), 422, "InvalidRequest")
    assert len(stored_posts(ports)) == 1


def test_a_request_in_flight_answers_409_until_its_worker_is_past_its_time(http, ports, body):
    ports.posts.faults.before("answer", Killed())
    with pytest.raises(Killed):
        http.post(body, headers={"Idempotency-Key": "key-1", "Prefer": "wait=5"})
    answer = http.post(body, headers={"Idempotency-Key": "key-1"})
    assert_failed(answer, 409, "InvalidRequest")
    assert (answer.headers["Retry-After"], answer.json["retryable"]) == ("26", True)
    ports.clock.time += 26
    again = http.post(body, headers={"Idempotency-Key": "key-1", "Prefer": "respond-async"})
    assert (again.status, again.json["postSubmissionId"]) == (202, stored_posts(ports)[0].post_id)
    assert len(stored_posts(ports)) == 1


def test_a_refused_body_is_not_remembered(http, ports, body):
    good = body["post"]["content"].pop("platform")
    assert http.post(body, headers={"Idempotency-Key": "key-1"}).status == 400
    body["post"]["content"]["platform"] = good
    answer = http.post(body, headers={"Idempotency-Key": "key-1", "Prefer": "respond-async"})
    assert (answer.status, replayed(answer)) == (202, False)


def test_an_answer_that_could_not_be_kept_is_given_all_the_same(http, ports, body):
    ports.posts.faults.before("answer", errors.ServiceUnavailable("DynamoDB did not answer.", "Try again."))
    answer = http.post(body, headers={"Idempotency-Key": "key-1", "Prefer": "respond-async"})
    assert answer.status == 202
    ports.clock.time += 31
    again = http.post(body, headers={"Idempotency-Key": "key-1", "Prefer": "respond-async"})
    assert again.json["postSubmissionId"] == answer.json["postSubmissionId"]


# Reading posts


def test_a_post_is_shown_with_its_timeline_ids_and_options(http, ports):
    post = a_post(
        status=Status.PUBLISH_COMPLETE,
        post_ids=("7577571164748499000",),
        media=stored_video(8_000_000),
        upload=an_upload(publish_id="v_pub_file~v2-1.7577"),
        downloaded_bytes=8_000_000,
        next_byte=8_000_000,
        timeline=(Moment(step="Accepted", at=NOW), Moment(step="UploadChunks", at=NOW + 1.5)),
    )
    ports.posts.accept(post, None)
    shown = http.get(f"/v2/posts/{post.post_id}").json
    assert set(shown) >= SEVEN | OURS
    assert (shown["postIds"], shown["publish_id"]) == (["7577571164748499000"], "v_pub_file~v2-1.7577")
    assert shown["publicUrl"] == "https://www.tiktok.com/@a_creator/video/7577571164748499000"
    assert (shown["accountId"], shown["text"]) == (post.account_id, post.text)
    assert shown["options"]["privacyLevel"] == "PUBLIC_TO_EVERYONE"
    assert shown["timeline"] == [
        {"step": "Accepted", "at": "2026-09-21T14:13:20.000Z"},
        {"step": "UploadChunks", "at": "2026-09-21T14:13:21.500Z", "bytes": 8_000_000, "totalBytes": 8_000_000},
    ]


def test_a_failed_post_is_shown_with_its_cause(http, ports):
    post = a_post(status=Status.FAILED, failure=REFUSED)
    ports.posts.accept(post, None)
    shown = http.get(f"/v2/posts/{post.post_id}").json
    assert (shown["success"], shown["status"], shown["code"], shown["retryable"], shown["tiktok_log_id"]) == (
        False,
        "FAILED",
        "VideoProcessingFailed",
        False,
        "log-1",
    )
    assert (shown["error"], shown["message"]) == (REFUSED.error, REFUSED.message)


def test_a_post_shows_no_secret_of_its_upload(http, ports):
    post = a_post(upload=an_upload(sealed_url="the sealed URL"), media_urls=("https://media.example/film?sig=secret",))
    ports.posts.accept(post, None)
    for path in (f"/v2/posts/{post.post_id}", "/v2/posts"):
        answer = http.get(path)
        assert "sealed" not in answer.body
        assert "sig=secret" not in answer.body


def test_lists_lead_from_page_to_page(http, ports):
    posts = [a_post(created_at=NOW + number) for number in range(3)]
    for post in posts:
        ports.posts.accept(post, None)
    first = http.get("/v2/posts", query={"limit": "2"}).json
    second = http.get("/v2/posts", query={"limit": "2", "cursor": first["cursor"]}).json
    listed = [post["postSubmissionId"] for post in first["posts"] + second["posts"]]
    assert listed == [post.post_id for post in reversed(posts)]
    assert second["cursor"] is None
    assert_failed(http.get("/v2/posts", query={"cursor": "elsewhere"}), 400, "InvalidRequest")


# Connecting


def start(http: Http, path: str = "/oauth/tiktok/start") -> tuple[HttpAnswer, dict[str, str], str]:
    """Begin to connect: the redirect, the query that TikTok gets, and the cookie as the browser sends it back."""
    answer = http.get(path)
    query = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    return answer, query, answer.cookies[0].partition(";")[0]


def come_back(http: Http, ports: FakePorts, **changes) -> HttpAnswer:
    _, query, cookie = start(http)
    code = ports.tiktok.consent(query["code_challenge"], query["redirect_uri"], **changes.pop("consent", {}))
    sent = {"query": {"code": code, "state": query["state"]}, "cookies": ["other=1", cookie], "key": None, **changes}
    return http.get("/oauth/tiktok/callback", **sent)


def test_the_browser_is_sent_to_tiktok_with_a_session_that_scripts_cannot_read(http):
    answer, query, cookie = start(http)
    assert answer.status == 302
    assert query["redirect_uri"] == "https://publish.example/oauth/tiktok/callback"
    assert re.fullmatch(r"__Host-connecting=[A-Za-z0-9_-]{43}", cookie)
    assert answer.cookies == [f"{cookie}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"]


def test_without_an_address_of_its_own_the_gateways_is_taken(http, ports):
    ports.public_url = None
    _, query, _ = start(http)
    assert query["redirect_uri"] == "https://api.example/oauth/tiktok/callback"


def test_on_a_laptop_the_cookie_fits_plain_http(http, ports):
    ports.public_url = "http://127.0.0.1:8080"
    answer, query, cookie = start(http)
    assert query["redirect_uri"] == "http://127.0.0.1:8080/oauth/tiktok/callback"
    assert cookie.startswith("connecting=")
    assert "Secure" not in answer.cookies[0]
    assert come_back(http, ports).status == 200


def test_a_connected_account_is_a_page_for_a_person_and_json_for_a_program(http, ports):
    told = come_back(http, ports, headers={"Accept": "application/json"})
    assert (told.status, told.json["success"], told.json["missingScopes"]) == (200, True, [])
    assert told.json["account"]["tiktok_display_name"] == "A Creator"
    assert told.cookies == ["__Host-connecting=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]
    page = come_back(http, ports, headers=HTML)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "A Creator is connected" in page.body


def test_a_partial_grant_names_what_is_missing(http, ports):
    granted = {"scopes": ("user.info.basic", "video.upload")}
    told = come_back(http, ports, consent=granted)
    assert "video.publish" in told.json["missingScopes"]
    assert "video.publish" in come_back(http, ports, consent=granted, headers=HTML).body


def test_a_nickname_is_text_and_no_markup(http, ports):
    ports.tiktok.creator_answer = ports.tiktok.creator_answer.model_copy(update={"nickname": "<script>x</script>"})
    page = come_back(http, ports, headers=HTML)
    assert "<script>" not in page.body
    assert "&lt;script&gt;" in page.body


@pytest.mark.parametrize("headers", [HTML, {"Accept": "*/*"}, {}])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"query": {"error": "access_denied"}}, "did not allow access"),
        ({"query": {"error_type": "non_sandbox_target", "error": "access_denied"}}, "target user"),
        ({"query": {"code": "code"}}, "never began here"),
        ({"query": {}}, "never began here"),
        ({"query": None}, "never began here"),
        ({"cookies": []}, "another browser"),
        ({"cookies": None}, "another browser"),
        ({"cookies": ["connecting=wrong"]}, "another browser"),
    ],
)
def test_a_connection_that_fails_is_a_clear_page_and_clear_json(http, ports, headers, changes, words):
    if changes.get("query", {}) and "error" in changes["query"]:
        _, query, cookie = start(http)
        changes = {"query": {**changes["query"], "state": query["state"]}, "cookies": [cookie]}
    answer = come_back(http, ports, headers=headers, **changes)
    assert (answer.status, words in answer.body) == (400, True)
    assert http.get("/api/accounts").json == {"accounts": []}
    if headers is HTML:
        assert "<h1>The account was not connected</h1>" in answer.body
        assert re.search(r"Request request-\d+", answer.body)
    else:
        assert_failed(answer, 400, "InvalidRequest")


def test_when_tiktok_is_down_a_person_sees_a_page_too(http, ports):
    ports.tiktok.faults.before("exchange_code", errors.ServiceUnavailable("TikTok is down.", "Try again."))
    answer = come_back(http, ports, headers=HTML)
    assert (answer.status, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "TikTok is down." in answer.body


def test_only_pages_for_people_answer_html_to_errors(http):
    assert_failed(http.get("/v2/posts", key=None, headers=HTML), 401, "InvalidApiKey")


def test_a_program_gets_a_link_that_any_browser_opens_once(http, ports):
    link = http.get("/oauth/tiktok/start", headers={"Accept": "application/json"}).json
    assert link["expiresAt"] == "2026-09-21T14:23:20.000Z"
    assert link["connectUrl"].startswith("https://publish.example/oauth/tiktok/connect/")
    path = urlsplit(link["connectUrl"]).path
    opened = http.get(path, key=None, headers=HTML)
    assert (opened.status, len(opened.cookies)) == (302, 1)
    again = http.get(path, key=None, headers=HTML)
    assert (again.status, "used before" in again.body) == (400, True)


def test_accounts_are_listed_in_the_documented_form(http, ports):
    come_back(http, ports)
    ports.connect(workspace_id="workspace-2")
    (account,) = http.get("/api/accounts").json["accounts"]
    assert set(account) == {
        "account_id",
        "social_channel_type",
        "is_valid",
        "expires_at",
        "created_at",
        "updated_at",
        "tiktok_username",
        "tiktok_display_name",
        "tiktok_avatar_url",
        "tiktok_open_id",
        "scopes",
        "state",
        "state_reason",
        "state_since",
    }
    assert (account["social_channel_type"], account["is_valid"], account["state"]) == ("tiktok", True, "active")


@pytest.mark.parametrize(
    ("seconds", "state", "valid"), [(360 * 86400, "expiring", True), (365 * 86400, "reauthorize", False)]
)
def test_an_accounts_state_is_shown(http, ports, seconds, state, valid):
    ports.connect()
    ports.clock.time += seconds
    (account,) = http.get("/api/accounts").json["accounts"]
    assert (account["state"], account["is_valid"]) == (state, valid)


def test_a_return_address_of_somebody_else_is_no_way_out(http, ports):
    evil = {"return_to": "https://evil.example", "redirect_uri": "https://evil.example"}
    answer = http.get("/oauth/tiktok/start", query=evil)
    assert urlsplit(answer.headers["Location"]).hostname == "tiktok.example"
    assert "evil.example" not in answer.headers["Location"]


def test_the_front_page_and_the_health_check_are_open(http):
    assert http.get("/", key=None).headers["Content-Type"] == "text/html; charset=utf-8"
    assert http.get("/health", key=None).json == {"status": "ok"}
