"""The TikTok client against the sandbox: a creator connects, posts, and everything that goes wrong on the way."""

import hashlib
import json
import struct
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from pydantic import SecretStr

from local.tiktok.server import Sandbox
from publisher.domain import errors
from publisher.domain.accounts import SCOPES
from publisher.domain.chunks import ChunkPlan, plan_chunks
from publisher.ports import TikTokApp
from publisher.tiktok.client import TikTokClient
from publisher.tiktok.transport import Transport
from tests import films
from tests.builders import options

MIB = 1024 * 1024
REDIRECT = "http://127.0.0.1:8123/oauth/tiktok/callback"
VERIFIER = "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
CHALLENGE = hashlib.sha256(VERIFIER.encode()).hexdigest()


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Tiktok:
    """A sandbox whose clock stands still, and a client of it."""

    def __init__(self, sandbox, secret="sandbox-client-secret"):
        self.url = sandbox.url
        app = TikTokApp(client_key="sandbox-client-key", client_secret=SecretStr(secret))
        self.client = TikTokClient(sandbox.url, sandbox.url, lambda: app, Transport())

    def admin(self, method, path, content=None):
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=body, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def advance(self, seconds):
        self.admin("POST", "clock", {"advance": seconds})

    def fault(self, endpoint, do, **more):
        self.admin("POST", "faults", [{"endpoint": endpoint, "do": do, **more}])

    def consent(self, scopes=SCOPES, allowed=SCOPES):
        """Press Allow on the consent page; return what comes back to the redirect URI."""
        page = self.client.authorize_url(state="state", challenge=CHALLENGE, redirect_uri=REDIRECT, scopes=scopes)
        form = urlencode({"username": "emu_creator", "scope": allowed, "decision": "allow"}, doseq=True).encode()
        with pytest.raises(urllib.error.HTTPError) as sent_back:
            urllib.request.build_opener(StayHere).open(page, form)
        with sent_back.value as answer:
            return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def connect(self, **consent):
        code = self.consent(**consent)["code"]
        return self.client.exchange_code(code=code, verifier=VERIFIER, redirect_uri=REDIRECT)

    def send(self, opened, plan, data, first=0):
        """Send every chunk from byte `first` on; return the kinds of the answers."""
        kinds = []
        while first < plan.video_size:
            chunk = plan.chunk_at(first)
            kinds.append(self.put(opened, plan, data, first).kind)
            first = chunk.last + 1
        return kinds

    def put(self, opened, plan, data, first):
        chunk = plan.chunk_at(first)
        piece = memoryview(data)[chunk.first : chunk.last + 1]
        return self.client.put_chunk(
            opened.upload_url, chunk=chunk, total=plan.video_size, content_type="video/mp4", data=piece
        )

    def posts(self):
        return self.admin("GET", "log")["posts"]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def tiktok(sandbox):
    tiktok = Tiktok(sandbox)
    tiktok.admin("POST", "reset")
    tiktok.admin("POST", "clock", {"frozen": True})
    return tiktok


@pytest.fixture(scope="module")
def film():
    """A film of 11 MiB: four seconds of grey, and a box that players skip."""
    content = films.film(frames=120)
    rest = 11 * MIB - len(content)
    return content + struct.pack(">I4s", rest, b"free") + bytes(rest - 8)


IN_CHUNKS = ChunkPlan(video_size=11 * MIB, chunk_size=5 * MIB, total_chunk_count=2)


def test_a_creator_connects_and_a_video_is_published(tiktok, film):
    grant = tiktok.connect()
    profile = tiktok.client.profile(grant.access_token, grant.scopes)
    creator = tiktok.client.creator(grant.access_token)
    opened = tiktok.client.open_upload(grant.access_token, text="Grau 🐇", options=options(), plan=IN_CHUNKS)

    assert tiktok.send(opened, IN_CHUNKS, film) == ["more", "complete"]

    processing = tiktok.client.status(grant.access_token, opened.publish_id)
    tiktok.advance(3600)
    published = tiktok.client.status(grant.access_token, opened.publish_id)
    [post] = tiktok.posts()
    assert set(grant.scopes) == set(SCOPES)
    assert (grant.expires_in, grant.refresh_expires_in) == (86_400, 31_536_000)
    assert (profile.open_id, profile.username, profile.display_name) == (grant.open_id, "emu_creator", "Emu Creator")
    assert "PUBLIC_TO_EVERYONE" in creator.privacy_level_options
    assert (processing.status, processing.uploaded_bytes, processing.post_ids) == ("PROCESSING_UPLOAD", 11 * MIB, ())
    assert published.status == "PUBLISH_COMPLETE"
    assert published.post_ids == (str(post["post_id"]),)
    assert len(published.post_ids[0]) == 19
    assert post["title"] == "Grau 🐇"
    assert post["sha256"] == hashlib.sha256(film).hexdigest()


def test_a_draft_ends_in_the_creators_inbox(tiktok, film):
    grant = tiktok.connect(allowed=["video.upload"])
    plan = plan_chunks(len(film))
    opened = tiktok.client.open_upload(grant.access_token, text="", options=options(draft=True), plan=plan)

    assert tiktok.send(opened, plan, film) == ["complete"]

    tiktok.advance(3600)
    assert tiktok.client.status(grant.access_token, opened.publish_id).status == "SEND_TO_USER_INBOX"
    assert tiktok.posts() == []


def test_what_the_creator_did_not_allow_is_named(tiktok):
    grant = tiktok.connect(allowed=["video.upload"])

    assert set(grant.scopes) == {"user.info.basic", "video.upload"}
    with pytest.raises(errors.InvalidToken) as raised:
        tiktok.client.creator(grant.access_token)
    assert raised.value.error == "The account has not granted video.publish."
    assert tiktok.client.profile(grant.access_token, grant.scopes).username == ""


def test_a_code_works_once(tiktok):
    code = tiktok.consent()["code"]
    tiktok.client.exchange_code(code=code, verifier=VERIFIER, redirect_uri=REDIRECT)

    with pytest.raises(errors.ConnectionRefused):
        tiktok.client.exchange_code(code=code, verifier=VERIFIER, redirect_uri=REDIRECT)


def test_a_code_needs_the_verifier_that_it_began_with(tiktok):
    code = tiktok.consent()["code"]

    with pytest.raises(errors.ConnectionRefused) as raised:
        tiktok.client.exchange_code(code=code, verifier=VERIFIER[::-1], redirect_uri=REDIRECT)

    assert raised.value.tiktok_code == "invalid_request"


@pytest.mark.parametrize("status", [200, 400])
def test_a_refresh_gives_new_tokens_and_kills_the_old_refresh_token(tiktok, status):
    tiktok.admin("PATCH", "settings", {"oauth_error_status": status, "token_profile": "2h"})
    first = tiktok.connect()

    second = tiktok.client.refresh(first.refresh_token)

    assert second.access_token != first.access_token
    assert (second.expires_in, second.refresh_expires_in) == (7200, 180 * 86400)
    with pytest.raises(errors.TokenExpired):
        tiktok.client.refresh(first.refresh_token)


def test_a_refresh_without_a_life_lasts_a_day(tiktok):
    tiktok.admin("PATCH", "settings", {"refresh_omits_expires_in": True})

    assert tiktok.client.refresh(tiktok.connect().refresh_token).expires_in == 86400


def test_an_access_token_ends_with_its_life(tiktok):
    grant = tiktok.connect()
    tiktok.advance(grant.expires_in)

    with pytest.raises(errors.TokenExpired):
        tiktok.client.creator(grant.access_token)


def test_access_is_taken_back_once(tiktok):
    grant = tiktok.connect()

    tiktok.client.revoke(grant.access_token)

    with pytest.raises(errors.TokenExpired):
        tiktok.client.creator(grant.access_token)
    with pytest.raises(errors.TokenExpired):
        tiktok.client.revoke(grant.access_token)


def test_a_wrong_app_secret_is_the_operators_matter_and_keeps_the_account(sandbox, tiktok):
    grant = tiktok.connect()

    with pytest.raises(errors.ServiceUnavailable) as raised:
        Tiktok(sandbox, secret="another").client.refresh(grant.refresh_token)

    assert raised.value.tiktok_code == "invalid_client"
    assert tiktok.client.refresh(grant.refresh_token).open_id == grant.open_id


@pytest.mark.parametrize("unit", ["count", "last_index"])
def test_a_chunk_sent_again_is_answered_with_the_place_to_go_on(tiktok, film, unit):
    tiktok.admin("PATCH", "settings", {"upload_content_range": unit})
    grant = tiktok.connect()
    opened = tiktok.client.open_upload(grant.access_token, text="", options=options(), plan=IN_CHUNKS)
    tiktok.put(opened, IN_CHUNKS, film, 0)

    again = tiktok.put(opened, IN_CHUNKS, film, 0)

    assert (again.kind, IN_CHUNKS.boundary(again.received)) == ("out_of_order", 5 * MIB)
    assert tiktok.send(opened, IN_CHUNKS, film, first=5 * MIB) == ["complete"]
    assert IN_CHUNKS.boundary(tiktok.put(opened, IN_CHUNKS, film, 5 * MIB).received) == 11 * MIB


def test_an_upload_is_gone_after_an_hour(tiktok, film):
    grant = tiktok.connect()
    opened = tiktok.client.open_upload(grant.access_token, text="", options=options(), plan=IN_CHUNKS)
    tiktok.advance(3600)

    assert tiktok.put(opened, IN_CHUNKS, film, 0).kind == "gone"


def test_a_film_that_tiktok_does_not_take_fails_with_its_reason(tiktok):
    grant = tiktok.connect()
    plan = plan_chunks(1000)
    opened = tiktok.client.open_upload(grant.access_token, text="", options=options(), plan=plan)
    tiktok.send(opened, plan, bytes(1000))
    tiktok.advance(60)

    status = tiktok.client.status(grant.access_token, opened.publish_id)

    assert status.status == "FAILED"
    assert status.failure is not None
    assert (status.failure.name, status.failure.tiktok_code) == ("VideoProcessingFailed", "file_format_check_failed")


def test_the_seventh_upload_of_a_minute_waits(tiktok):
    grant = tiktok.connect()
    for _ in range(6):
        tiktok.client.open_upload(grant.access_token, text="", options=options(), plan=plan_chunks(1000))

    with pytest.raises(errors.RateLimitExceeded) as raised:
        tiktok.client.open_upload(grant.access_token, text="", options=options(), plan=plan_chunks(1000))

    assert raised.value.retry_after == 60


@pytest.mark.parametrize(
    ("endpoint", "do", "expected"),
    [
        ("status", "reset", "ServiceUnavailable"),
        ("status", "drop", "ServiceUnavailable"),
        ("status", "cut_json", "ServiceUnavailable"),
        ("status", "html", "ServiceUnavailable"),
        ("status", "unknown_code", "PublishingFailed"),
        ("status", {"status": 500, "body": ""}, "ServiceUnavailable"),
        ("status", {"code": "rate_limit_exceeded"}, "RateLimitExceeded"),
        ("status", {"code": "access_token_invalid"}, "TokenExpired"),
    ],
)
def test_faults_before_and_after_the_effect_become_ours(tiktok, endpoint, do, expected):
    grant = tiktok.connect()
    opened = tiktok.client.open_upload(grant.access_token, text="", options=options(), plan=plan_chunks(1000))
    for when in ("before", "after"):
        tiktok.fault(endpoint, do, when=when)

        with pytest.raises(errors.PublisherError) as raised:
            tiktok.client.status(grant.access_token, opened.publish_id)

        assert type(raised.value).__name__ == expected
    assert tiktok.client.status(grant.access_token, opened.publish_id).status == "PROCESSING_UPLOAD"


def test_a_last_chunk_whose_answer_is_lost_is_found_complete_when_sent_again(tiktok, film):
    grant = tiktok.connect()
    plan = plan_chunks(len(film))
    opened = tiktok.client.open_upload(grant.access_token, text="", options=options(), plan=plan)
    tiktok.fault("upload", "drop", when="after")

    with pytest.raises(errors.ServiceUnavailable):
        tiktok.put(opened, plan, film, 0)

    again = tiktok.put(opened, plan, film, 0)
    tiktok.advance(3600)
    assert (again.kind, plan.boundary(again.received)) == ("out_of_order", len(film))
    assert len(tiktok.client.status(grant.access_token, opened.publish_id).post_ids) == 1
    assert len(tiktok.posts()) == 1


def test_a_days_growth_is_told_by_the_same_ids(tiktok, film):
    # Videos are named by their time and grow by their names: at a fixed time each of these grows within a day.
    tiktok.admin("POST", "clock", {"set": 1_790_000_000})
    tiktok.admin("POST", "videos", {"username": "emu_creator", "count": 25, "days": 5})
    grant = tiktok.connect()
    plan = plan_chunks(len(film))
    opened = tiktok.client.open_upload(grant.access_token, text="Grau 🐇", options=options(), plan=plan)
    tiktok.send(opened, plan, film)
    tiktok.advance(3600)

    first = tiktok.client.videos(grant.access_token, cursor=None, count=20)
    second = tiktok.client.videos(grant.access_token, cursor=first.cursor, count=20)
    before = tiktok.client.figures(grant.access_token, grant.scopes)
    tiktok.advance(20 * 3600)
    later = tiktok.client.find_videos(grant.access_token, [video.video_id for video in first.videos])
    after = tiktok.client.figures(grant.access_token, grant.scopes)

    published = first.videos[0]
    assert (len(first.videos), first.has_more, len(second.videos), second.has_more) == (20, True, 6, False)
    assert (published.video_id,) == tiktok.client.status(grant.access_token, opened.publish_id).post_ids
    assert (published.description, published.duration) == ("Grau 🐇", 4)
    assert published.share_url.startswith("https://www.tiktok.com/@emu_creator/video/")
    with urllib.request.urlopen(
        tiktok.client.find_videos(grant.access_token, [published.video_id])[0].cover_url
    ) as cover:
        assert cover.read(3) == b"\xff\xd8\xff"
    assert [video.video_id for video in later] == [video.video_id for video in first.videos]
    assert all(new.view_count > old.view_count for new, old in zip(later, first.videos, strict=True))
    assert all(new.like_count >= old.like_count for new, old in zip(later, first.videos, strict=True))
    assert before.likes_count == sum(video.like_count for video in (*first.videos, *second.videos))
    assert (before.video_count, after.video_count) == (26, 26)
    assert after.likes_count > before.likes_count
    assert after.follower_count > before.follower_count


@pytest.mark.parametrize("code", ["scope_not_authorized", "scope_permission_missed", "empty"])
def test_figures_that_the_creator_did_not_allow_are_not_asked_for(tiktok, code):
    tiktok.admin("PATCH", "settings", {"missing_field_scope": code})
    grant = tiktok.connect(allowed=["video.upload"])

    assert tiktok.client.figures(grant.access_token, grant.scopes).follower_count is None
    with pytest.raises(errors.InvalidToken) as raised:
        tiktok.client.videos(grant.access_token, cursor=None, count=20)
    assert raised.value.error == "The account has not granted video.list."


@pytest.mark.parametrize(
    ("endpoint", "do", "error"),
    [
        ("user_info", {"code": "rate_limit_exceeded"}, errors.RateLimitExceeded),
        ("video/list", {"code": "rate_limit_exceeded"}, errors.RateLimitExceeded),
        ("video/query", "cut_json", errors.ServiceUnavailable),
        ("video/list", "drop", errors.ServiceUnavailable),
        ("video/query", {"code": "access_token_invalid"}, errors.TokenExpired),
    ],
)
def test_a_figure_that_could_not_be_had_is_had_when_asked_for_again(tiktok, endpoint, do, error):
    tiktok.admin("POST", "videos", {"username": "emu_creator"})
    grant = tiktok.connect()
    ask = {
        "user_info": lambda: tiktok.client.figures(grant.access_token, grant.scopes).video_count,
        "video/list": lambda: len(tiktok.client.videos(grant.access_token, cursor=None, count=20).videos),
        "video/query": lambda: len(tiktok.client.find_videos(grant.access_token, ["1"])) + 1,
    }[endpoint]
    tiktok.fault(endpoint, do)

    with pytest.raises(error):
        ask()
    assert ask() == 1
