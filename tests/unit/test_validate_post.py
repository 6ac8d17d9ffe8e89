"""Checking a post and its media without doing anything."""

import base64
import json
from typing import Any

import pytest

from publisher.domain.errors import MediaUnavailable, ServiceUnavailable
from publisher.domain.limits import CREATOR_INFO_KEPT, CREATOR_INFO_PER_MINUTE, PICTURE_BYTES, PUBLICATIONS_PER_HOUR
from publisher.domain.posts import PostOptions
from publisher.use_cases.check_post import NOT_ASKED
from tests.builders import NOW, a_creator, picture_facts, video_facts
from tests.fakes import BytesSource, FakePorts
from tests.pictures import plain
from tests.unit.conftest import Http, HttpAnswer, assert_failed
from tests.unit.test_create_post import a_body, assert_untouched

FILM = "https://media.example/film.mp4"
NAMELESS = "https://media.example/watch"
PHOTOS = [f"https://media.example/{number}.jpg" for number in (1, 2, 3)]
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(1000)
MEDIA = "post.content.mediaUrls"


@pytest.fixture
def account_id(ports: FakePorts) -> str:
    """An account, and an internet with a film and three pictures."""
    ports.fetcher.media = {FILM: MP4, NAMELESS: MP4, **dict.fromkeys(PHOTOS, plain("JPEG"))}
    return ports.connect().account_id


def validate(http: Http, body: object, **more: Any) -> Any:
    answer = http.call("POST", "/v2/posts/validate", body, **more)
    assert answer.status == 200, answer.body
    assert answer.json["valid"] is (answer.json["problems"] == [])
    return answer.json


def problems(told: Any) -> list[tuple[str | None, str]]:
    return [(problem["field"], problem["code"]) for problem in told["problems"]]


def test_a_good_post_is_valid_and_nothing_is_done(http: Http, ports: FakePorts, account_id: str) -> None:
    told = validate(http, a_body(account_id))
    assert (told["valid"], told["status"]) == (True, "QUEUED")
    assert told["media"] == [
        {
            "item": 1,
            "contentType": "video/mp4",
            "sizeBytes": len(MP4),
            "width": 1080,
            "height": 1920,
            "durationSeconds": 20.5,
            "framesPerSecond": 29.97,
            "codec": "H.264",
        }
    ]
    assert_untouched(ports)
    assert ports.media.objects == {}


def test_all_that_is_wrong_is_told_at_once_the_media_too(http: Http, ports: FakePorts, account_id: str) -> None:
    ports.prober.facts = video_facts(duration_seconds=700)
    told = validate(http, a_body(account_id, text="x" * 3000, privacyLevel="NOBODY"))
    assert problems(told) == [
        ("post.content.text", "TextTooLong"),
        ("post.tiktokOptions.privacyLevel", "InvalidRequest"),
        (MEDIA, "InvalidMediaType"),
    ]
    assert "status" not in told


def test_checks_leave_questions_about_the_creator_to_posts(http: Http, ports: FakePorts, account_id: str) -> None:
    kept = CREATOR_INFO_PER_MINUTE - CREATOR_INFO_KEPT
    told = [validate(http, a_body(account_id)) for _ in range(CREATOR_INFO_PER_MINUTE + 5)]
    assert all(one["valid"] for one in told)
    assert [NOT_ASKED in one["warnings"] for one in told] == [n >= kept for n in range(len(told))]
    assert problems(validate(http, a_body(account_id, privacyLevel="NOBODY"))) == [
        ("post.tiktokOptions.privacyLevel", "InvalidRequest")
    ]
    posted = http.call("POST", "/v2/posts", a_body(account_id), headers={"Prefer": "respond-async"})
    assert posted.status == 202, posted.body


def test_a_film_longer_than_the_creator_may_post_is_told_and_as_a_draft_it_may_be(
    http: Http, ports: FakePorts, account_id: str
) -> None:
    ports.tiktok.creator_answer = a_creator(max_video_post_duration_sec=300)
    ports.prober.facts = video_facts(duration_seconds=400)
    told = validate(http, a_body(account_id))
    assert problems(told) == [(MEDIA, "InvalidMediaType")]
    assert "this creator may post" in told["problems"][0]["error"]
    assert validate(http, a_body(account_id, privacyLevel=None, draft=True))["valid"]


def test_of_several_pictures_each_that_is_wrong_is_named(http: Http, ports: FakePorts, account_id: str) -> None:
    ports.fetcher.media[PHOTOS[1]] = MP4
    ports.fetcher.media[PHOTOS[2]] = MediaUnavailable("The media server did not answer.", "Try again.")
    told = validate(http, a_body(account_id, urls=[*PHOTOS, "ftp://media.example/4.jpg"]))
    assert problems(told) == [
        (f"{MEDIA}[3]", "InvalidMediaUrl"),
        (f"{MEDIA}[1]", "InvalidMediaType"),
        (f"{MEDIA}[2]", "MediaDownloadFailed"),
    ]
    assert told["problems"][1]["error"].startswith("Picture 2 of 4: ")
    assert [(one["item"], one["contentType"], one["width"]) for one in told["media"]] == [
        (1, "image/jpeg", 1080),
        (2, None, None),
        (3, None, None),
        (4, None, None),
    ]


def test_a_picture_too_large_to_convert_is_told(http: Http, ports: FakePorts, account_id: str) -> None:
    ports.fetcher.media[PHOTOS[0]] = BytesSource(plain("JPEG"), size=PICTURE_BYTES + 1)
    assert problems(validate(http, a_body(account_id, urls=PHOTOS))) == [(f"{MEDIA}[0]", "MediaTooLarge")]
    ports.fetcher.media[PHOTOS[0]] = plain("JPEG")
    ports.prober.picture_facts = picture_facts(width=2000)
    assert validate(http, a_body(account_id, urls=PHOTOS))["media"][0]["width"] == 2000


def test_a_video_whose_name_does_not_say_so_needs_a_privacy(http: Http, account_id: str) -> None:
    told = validate(http, a_body(account_id, urls=NAMELESS, privacyLevel=None))
    assert problems(told) == [("post.tiktokOptions.privacyLevel", "MissingParameter")]


def test_what_a_kind_of_media_does_not_take_is_warned_of(http: Http, ports: FakePorts, account_id: str) -> None:
    told = validate(http, a_body(account_id, photoTitle="A title"))
    assert any("photoTitle" in warning for warning in told["warnings"])
    ports.fetcher.media[NAMELESS] = plain("JPEG")
    told = validate(http, a_body(account_id, urls=NAMELESS, isAiGenerated=True))
    assert any("isAiGenerated" in warning for warning in told["warnings"])


def test_what_would_do_better_is_advised(http: Http, ports: FakePorts, account_id: str) -> None:
    ports.prober.facts = video_facts(width=400, height=700)
    assert any("400 x 700" in warning for warning in validate(http, a_body(account_id))["warnings"])


def test_media_that_is_streamed_without_a_length_is_not_looked_at_as_a_whole(
    http: Http, ports: FakePorts, account_id: str
) -> None:
    source = BytesSource(MP4)
    source.size = None
    ports.fetcher.media[FILM] = source
    told = validate(http, a_body(account_id))
    assert (told["valid"], told["media"][0]["contentType"], told["media"][0]["codec"]) == (True, "video/mp4", None)
    assert any(warning.startswith("The media was not looked at as a whole") for warning in told["warnings"])


def test_a_server_that_takes_all_the_time_is_not_held_against_the_post(
    http: Http, ports: FakePorts, account_id: str
) -> None:
    def be_slow(*_: object, **__: object) -> None:
        ports.clock.time += 60
        raise MediaUnavailable("The media server is silent.", "Try again.")

    ports.fetcher.look = be_slow  # type: ignore[method-assign, assignment]
    told = validate(http, a_body(account_id))
    assert told["valid"]
    assert "its server is slow" in told["warnings"][-1]


def cloudfront_policy(end: int) -> str:
    statement = {"Resource": "*", "Condition": {"DateLessThan": {"AWS:EpochTime": end}}}
    policy = base64.b64encode(json.dumps({"Statement": [statement]}).encode()).decode()
    return policy.translate(str.maketrans("+=/", "-_~"))


@pytest.mark.parametrize(
    ("query", "dies"),
    [
        ("X-Amz-Date=20260921T140640Z&X-Amz-Expires=3600&X-Amz-Signature=x", True),
        ("X-Amz-Date=20260921T140640Z&X-Amz-Expires=604800&X-Amz-Signature=x", False),
        ("X-Goog-Date=20260921T140640Z&X-Goog-Expires=60&X-Goog-Signature=x", True),
        (f"AWSAccessKeyId=a&Signature=x&Expires={int(NOW) + 60}", True),
        (f"Key-Pair-Id=a&Signature=x&Expires={int(NOW) + 100_000}", False),
        (f"Policy={cloudfront_policy(int(NOW) + 60)}&Signature=x&Key-Pair-Id=a", True),
        (f"Policy={cloudfront_policy(int(NOW) + 100_000)}&Signature=x&Key-Pair-Id=a", False),
        ("Policy=x&Signature=x&Key-Pair-Id=a", False),
        ("sv=2024-01-01&se=2026-09-21T15:00:00Z&sig=x", True),
        ("sv=2024-01-01&se=2026-12-31&sig=x", False),
        ("Expires=1", False),
        ("X-Amz-Date=yesterday&X-Amz-Expires=60", False),
        ("se=soon&sig=x", False),
        ("v=1", False),
    ],
)
def test_a_signed_address_that_dies_before_the_posts_time_is_warned_of(
    http: Http, ports: FakePorts, account_id: str, query: str, dies: bool
) -> None:
    url = f"{FILM}?{query}"
    ports.fetcher.media[url] = MP4
    body = a_body(account_id, urls=url) | {"scheduledTime": "2026-09-22T14:13:20Z"}
    told = validate(http, body)
    assert told["scheduledTime"] == "2026-09-22T14:13:20.000Z"
    assert any("stops to work" in warning for warning in told["warnings"]) is dies
    posted = http.call("POST", "/v2/posts", body)
    assert any("stops to work" in warning for warning in posted.json["warnings"]) is dies


def test_of_several_addresses_the_one_that_dies_is_named(http: Http, ports: FakePorts, account_id: str) -> None:
    urls = [PHOTOS[0], f"{PHOTOS[1]}?X-Amz-Date=20260921T140640Z&X-Amz-Expires=60"]
    ports.fetcher.media[urls[1]] = plain("JPEG")
    told = validate(http, a_body(account_id, urls=urls) | {"scheduledTime": "2026-09-22T14:13:20Z"})
    assert any(warning.startswith("The URL of picture 2 of 2 stops to work") for warning in told["warnings"])


def test_an_upload_of_the_workspace_is_looked_at_and_another_ones_is_not(
    http: Http, ports: FakePorts, account_id: str
) -> None:
    def media_url(key: str) -> str:
        form = b"--x\r\nContent-Disposition: form-data; name=file; filename=a.mp4\r\n\r\n" + MP4 + b"\r\n--x--\r\n"
        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = http.call("POST", "/api/v2/media/upload", form, headers=headers, key=key)
        return str(answer.json["mediaUrl"])

    told = validate(http, a_body(account_id, urls=media_url(http.make_key())))
    assert (told["valid"], told["media"][0]["sizeBytes"]) == (True, len(MP4))
    theirs = media_url(http.make_key(workspace_id="workspace-2"))
    assert problems(validate(http, a_body(account_id, urls=theirs))) == [(MEDIA, "InvalidMediaUrl")]


def test_a_limit_that_is_reached_is_a_problem_with_the_post(http: Http, ports: FakePorts, account_id: str) -> None:
    for _ in range(PUBLICATIONS_PER_HOUR):
        assert http.call("POST", "/v2/posts", a_body(account_id), headers={"Prefer": "respond-async"}).status == 202
    assert problems(validate(http, a_body(account_id))) == [(None, "RateLimitExceeded")]
    told = validate(http, a_body(account_id) | {"queueIfLimited": True})
    assert told["valid"]
    assert told["notBefore"]


def test_an_account_that_cannot_post_is_a_problem(http: Http, ports: FakePorts, account_id: str) -> None:
    account = ports.accounts.get(account_id)
    assert account is not None
    ports.accounts.save(account.model_copy(update={"tokens": None}))
    told = validate(http, a_body(account_id))
    assert told["problems"][0]["code"] in {"TokenExpired", "AccountDisabled"}
    assert told["media"][0]["codec"] == "H.264"


def test_defaults_count_as_they_do_for_a_post(http: Http, ports: FakePorts, account_id: str) -> None:
    account = ports.accounts.get(account_id)
    assert account is not None
    ports.accounts.save(account.model_copy(update={"defaults": PostOptions(privacy_level="SELF_ONLY")}))
    assert validate(http, a_body(account_id, privacyLevel=None))["valid"]


@pytest.mark.parametrize("body", ["", "[]", "nonsense"])
def test_what_is_no_post_at_all_is_refused(http: Http, body: str) -> None:
    assert_failed(http.call("POST", "/v2/posts/validate", body), 400, "InvalidRequest")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_probe_that_fails_is_no_judgement(http: Http, ports: FakePorts, account_id: str, when: str) -> None:
    """Before its effect or after it: it may be repeated."""
    getattr(ports.probes.faults, when)("probe", ServiceUnavailable("Lambda did not answer.", "Try again."))
    failed: HttpAnswer = http.call("POST", "/v2/posts/validate", a_body(account_id))
    assert_failed(failed, 503, "ServiceUnavailable")
    assert validate(http, a_body(account_id))["valid"]


def test_it_needs_the_scope_of_posting(http: Http, account_id: str) -> None:
    key = http.make_key(scopes=("posts:read",))
    assert_failed(http.call("POST", "/v2/posts/validate", a_body(account_id), key=key), 403, "InsufficientScope")
