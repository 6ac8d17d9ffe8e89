"""The port TikTok: the fake that the use cases are tested with answers as the client of the sandbox does."""

import hashlib
import io
import json
import struct
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from PIL import Image
from pydantic import SecretStr

from local.front import Front
from local.template import Route
from local.tiktok.server import Sandbox
from media import app as media
from publisher.domain.accounts import SCOPES
from publisher.domain.chunks import ChunkPlan, plan_chunks
from publisher.domain.errors import ConnectionRefused, InvalidToken, PublishingFailed, ServiceUnavailable, TokenExpired
from publisher.domain.metrics import AccountFigures
from publisher.ports import Hosted, TikTokApp
from publisher.tiktok.client import TikTokClient
from publisher.tiktok.transport import Transport
from tests.builders import NOW, options
from tests.fakes import FakeClock, FakePhotoHost, FakePorts, FakeTikTok
from tests.films import film
from tests.unit.conftest import Context

REDIRECT = "http://127.0.0.1:8123/oauth/tiktok/callback"
VERIFIER = "a-verifier-of-a-good-length-ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
CHALLENGE = hashlib.sha256(VERIFIER.encode()).hexdigest()
CREATOR = "emu_creator"
CHUNK = 10 * 1024 * 1024
PREFIX = "0123456789abcdef" * 2
PULL_SECONDS = 600
"""How long the sandbox takes to begin to pull."""


class InMemory:
    """The fake, and what a test does to it."""

    def __init__(self):
        self.clock = FakeClock()
        self.tiktok = FakeTikTok(self.clock)

    def consent(self):
        return self.tiktok.consent(CHALLENGE, REDIRECT)

    def grant(self, *scopes):
        return self.tiktok.grant(CREATOR, scopes or SCOPES)

    def advance(self, seconds):
        self.clock.sleep(seconds)

    def revoke(self):
        self.tiktok.remove_app(CREATOR)

    def finish_draft(self, publish_id):
        self.tiktok.finish_draft(publish_id)

    def date(self):
        return self.clock.now()

    def refuse_app(self):
        self.tiktok.app_refused = True

    def public_posts(self):
        return len(self.tiktok.public_posts)

    def add_videos(self, count, days=30, owner=CREATOR):
        return self.tiktok.add_videos(owner, count, days)

    def set_figures(self, video_id, **figures):
        self.tiktok.set_figures(video_id, **figures)

    def hide(self, video_id):
        self.tiktok.hide(video_id)


class OverHttp:
    """The client, and what a test does to its sandbox."""

    def __init__(self, url):
        app = TikTokApp(client_key="sandbox-client-key", client_secret=SecretStr("sandbox-client-secret"))
        self.tiktok = TikTokClient(url, url, lambda: app, Transport())
        self._url = url
        self.admin("reset", {})
        self.admin("clock", {"frozen": True, "set": NOW})

    def admin(self, path, content=None, method=None):
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self._url}/_sandbox/{path}", body, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def consent(self):
        page = self.tiktok.authorize_url(state="state", challenge=CHALLENGE, redirect_uri=REDIRECT, scopes=SCOPES)
        form = urlencode({"username": CREATOR, "scope": SCOPES, "decision": "allow"}, doseq=True).encode()
        with pytest.raises(urllib.error.HTTPError) as sent_back:
            urllib.request.build_opener(StayHere).open(page, form)
        with sent_back.value as answer:
            return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def grant(self, *scopes):
        code = self.consent()
        if not scopes:
            return self.tiktok.exchange_code(code=code, verifier=VERIFIER, redirect_uri=REDIRECT)
        tokens = self.admin("grants", {"username": CREATOR, "scopes": scopes})
        return self.tiktok.refresh(SecretStr(tokens["refresh_token"]))

    def advance(self, seconds):
        self.admin("clock", {"advance": seconds})

    def revoke(self):
        self.admin("actions", {"action": "revoke", "username": CREATOR})

    def finish_draft(self, publish_id):
        self.admin("actions", {"action": "finish_draft", "publish_id": publish_id})

    def date(self):
        return time.time()  # HTTP's own date, whatever the sandbox's clock says

    def refuse_app(self):
        self.admin("apps/sandbox-client-key", {"client_secret": "another"}, "PATCH")

    def public_posts(self):
        return len(self.admin("log")["posts"])

    def add_videos(self, count, days=30, owner=CREATOR):
        added = self.admin("videos", {"username": owner, "count": count, "days": days})["videos"]
        return [str(video["video_id"]) for video in added]

    def set_figures(self, video_id, **figures):
        self.admin(f"videos/{video_id}", figures, "PATCH")

    def hide(self, video_id):
        self.admin("actions", {"action": "withdraw", "post_id": int(video_id)})


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running.url


@pytest.fixture(params=["fake", "client"])
def world(request):
    return InMemory() if request.param == "fake" else OverHttp(request.getfixturevalue("sandbox"))


class InternetHost:
    """Pictures somewhere; the fake pulls when it is told to."""

    def __init__(self, world):
        self.photo_host = FakePhotoHost()
        self.address = "https://publish.example/media"
        self._world = world

    def let_pull(self, publish_id):
        self._world.tiktok.pull(publish_id, self.photo_host)


class HttpHost:
    """Pictures as the service gives them out over HTTP; the sandbox pulls them ten minutes after the init."""

    def __init__(self, world, front):
        self._world = world
        self.ports = FakePorts()
        self.photo_host = self.ports.photo_host
        self.address = f"{front.url}/media"
        self.ports.media.objects |= {f"staging/folder/{number}.jpg": a_jpeg(number) for number in (1, 2, 3)}
        world.admin("settings", {"pull_local_urls": True, "pull_delay_seconds": PULL_SECONDS}, "PATCH")

    def verify_ownership(self):
        """Do as the operator does: tell TikTok the address, put up its file, and have it looked at."""
        claim = {"url_prefix": f"{self.address}/"}
        file = self._world.admin("apps/sandbox-client-key/properties", claim)["file"]
        self.ports.ownership_tokens = (file.removeprefix("tiktok").removesuffix(".txt"),)
        self._world.admin("apps/sandbox-client-key/properties/verify", claim)

    def let_pull(self, publish_id):
        self._world.advance(PULL_SECONDS)
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            publishes = {publish["publish_id"]: publish for publish in self._world.admin("log")["publishes"]}
            publish = publishes[publish_id]
            if publish["accepted_at"] is not None or publish["status"] != "PROCESSING_DOWNLOAD":
                return
        raise AssertionError("nothing was pulled")


def a_jpeg(number):
    file = io.BytesIO()
    Image.new("RGB", (360, 480), (80 * number, 0, 0)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    with Front(0, tmp_path_factory.mktemp("logs") / "http.log") as front:
        routes = [Route(method, path, "Media") for method, path in media.api.routes]
        front.serve(routes, lambda _, event: media.handler(event, Context(FakeClock())))
        yield front


@pytest.fixture
def unverified(world, request, monkeypatch):
    """Where TikTok is to pull pictures from, which it does not yet know for the app's."""
    if isinstance(world, InMemory):
        return InternetHost(world)
    host = HttpHost(world, request.getfixturevalue("front"))
    monkeypatch.setattr(media.api, "ports", lambda: host.ports)
    return host


@pytest.fixture
def host(unverified):
    """The same, as the app's, with three pictures."""
    if isinstance(unverified, HttpHost):
        unverified.verify_ownership()
    unverified.photo_host.host(PREFIX, Hosted(folder="staging/folder", count=3), NOW + 86400)
    return unverified


@pytest.fixture(scope="module")
def clip():
    return film(frames=120)


@pytest.fixture(scope="module")
def long_clip(clip):
    """The same film in two chunks: a box that players skip makes up the length."""
    missing = 2 * CHUNK + 1 - len(clip)
    return clip + struct.pack(">I4s", missing, b"free") + bytes(missing - 8)


def open_upload(world, token, data, **choices):
    return world.tiktok.open_upload(token, text="caption", options=options(**choices), plan=plan_chunks(len(data)))


def put(world, opened, data, first):
    plan = plan_chunks(len(data))
    chunk = plan.chunk_at(first)
    return world.tiktok.put_chunk(
        opened.upload_url,
        chunk=chunk,
        total=len(data),
        content_type="video/mp4",
        data=memoryview(data)[chunk.first : chunk.last + 1],
    )


def open_carousel(world, host, token, pictures=3, text="caption", **choices):
    urls = [f"{host.address}/{PREFIX}/{number}.jpg" for number in range(1, pictures + 1)]
    return world.tiktok.open_carousel(token, text=text, options=options(**choices), picture_urls=urls)


def statuses(world, token, opened, times=8):
    """What TikTok says of a post, five seconds apart, without repetitions; and the last answer."""
    said = []
    publish_id = opened if isinstance(opened, str) else opened.publish_id
    for _ in range(times):
        answer = world.tiktok.status(token, publish_id)
        said.append(answer.status)
        world.advance(5)
    return list(dict.fromkeys(said)), answer


# Connecting and tokens
def test_a_code_gives_tokens_once(world):
    code = world.consent()
    grant = world.tiktok.exchange_code(code=code, verifier=VERIFIER, redirect_uri=REDIRECT)
    assert set(grant.scopes) == set(SCOPES)
    assert world.tiktok.profile(grant.access_token, grant.scopes).open_id == grant.open_id
    with pytest.raises(ConnectionRefused):
        world.tiktok.exchange_code(code=code, verifier=VERIFIER, redirect_uri=REDIRECT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "made-up"},
        {"verifier": VERIFIER.lower()},
        {"redirect_uri": "http://127.0.0.1:8123/elsewhere"},
    ],
    ids=["code", "verifier", "redirect URI"],
)
def test_what_does_not_belong_together_gives_no_tokens(world, wrong):
    with pytest.raises(ConnectionRefused):
        world.tiktok.exchange_code(**{"code": world.consent(), "verifier": VERIFIER, "redirect_uri": REDIRECT, **wrong})


def test_a_refresh_token_works_once_and_the_new_tokens_work(world):
    old = world.grant()
    new = world.tiktok.refresh(old.refresh_token)
    assert new.open_id == old.open_id
    assert world.tiktok.creator(new.access_token).username
    with pytest.raises(TokenExpired):
        world.tiktok.refresh(old.refresh_token)


def test_an_access_token_ends_and_is_refreshed(world):
    grant = world.grant()
    world.advance(grant.expires_in - 1)
    world.tiktok.creator(grant.access_token)
    world.advance(1)
    with pytest.raises(TokenExpired):
        world.tiktok.creator(grant.access_token)
    world.tiktok.creator(world.tiktok.refresh(grant.refresh_token).access_token)


def test_a_creator_who_removes_the_app_ends_its_tokens(world):
    grant = world.grant()
    world.revoke()
    with pytest.raises(TokenExpired):
        world.tiktok.creator(grant.access_token)
    with pytest.raises(TokenExpired):
        world.tiktok.refresh(grant.refresh_token)


def test_access_that_is_given_up_ends_both_tokens_and_is_given_up_once(world):
    grant = world.grant()
    world.tiktok.revoke(grant.access_token)
    for use in (world.tiktok.creator, world.tiktok.revoke):
        with pytest.raises(TokenExpired):
            use(grant.access_token)
    with pytest.raises(TokenExpired):
        world.tiktok.refresh(grant.refresh_token)


def test_access_is_given_up_with_a_token_that_was_refreshed_for_it(world):
    grant = world.grant()
    world.advance(grant.expires_in)
    renewed = world.tiktok.refresh(grant.refresh_token)
    world.tiktok.revoke(renewed.access_token)
    with pytest.raises(TokenExpired):
        world.tiktok.refresh(renewed.refresh_token)


def test_a_made_up_token_is_an_expired_one(world, clip):
    with pytest.raises(TokenExpired):
        open_upload(world, SecretStr("act.made-up"), clip)


def test_a_scope_that_was_not_granted_is_named_by_its_own_error(world, clip):
    token = world.grant("user.info.basic", "video.upload").access_token
    with pytest.raises(InvalidToken):
        world.tiktok.creator(token)
    with pytest.raises(InvalidToken):
        open_upload(world, token, clip)
    assert open_upload(world, token, clip, draft=True, privacy_level=None).publish_id


def test_an_app_that_is_accepted_learns_tiktoks_time(world):
    assert world.tiktok.check_app() == pytest.approx(world.date(), abs=10)


def test_a_key_or_secret_that_is_not_accepted_is_told_with_tiktoks_code(world):
    world.refuse_app()
    with pytest.raises(ServiceUnavailable) as refused:
        world.tiktok.check_app()
    assert refused.value.tiktok_code == "invalid_client"


# Uploading
def test_tiktok_refuses_what_the_creator_cannot_choose(world, clip):
    with pytest.raises(PublishingFailed):
        open_upload(world, world.grant().access_token, clip, privacy_level="FOLLOWER_OF_CREATOR")


@pytest.mark.parametrize(
    ("size", "chunk", "count"),
    [
        (8_000_000, CHUNK, 0),
        (15_000_000, CHUNK, 1),
        (30_000_000, CHUNK, 3),
        (8_000_000, 4_000_000, 2),
        (70_000_000, 70_000_000, 1),
    ],
)
def test_tiktok_refuses_plans_against_its_rules(world, size, chunk, count):
    plan = ChunkPlan(video_size=size, chunk_size=chunk, total_chunk_count=count)
    with pytest.raises(PublishingFailed):
        world.tiktok.open_upload(world.grant().access_token, text="", options=options(), plan=plan)


def test_every_upload_is_another_one(world, clip):
    token = world.grant().access_token
    first, second = open_upload(world, token, clip), open_upload(world, token, clip)
    assert first.publish_id != second.publish_id
    assert first.upload_url != second.upload_url


def test_chunks_go_in_order_and_tiktok_says_which_bytes_it_has(world, long_clip):
    opened = open_upload(world, world.grant().access_token, long_clip)
    early = put(world, opened, long_clip, CHUNK)
    assert early.kind == "out_of_order"
    assert plan_chunks(len(long_clip)).boundary(early.received) == 0
    assert put(world, opened, long_clip, 0).kind == "more"
    again = put(world, opened, long_clip, 0)
    assert again.kind == "out_of_order"
    assert plan_chunks(len(long_clip)).boundary(again.received) == CHUNK
    assert put(world, opened, long_clip, CHUNK).kind == "complete"
    late = put(world, opened, long_clip, CHUNK)
    assert late.kind == "out_of_order"
    assert plan_chunks(len(long_clip)).boundary(late.received) == len(long_clip)


def test_an_upload_url_lives_an_hour(world, clip):
    opened = open_upload(world, world.grant().access_token, clip)
    world.advance(3600)
    assert put(world, opened, clip, 0).kind == "gone"
    assert world.public_posts() == 0


# What becomes of a post
def test_a_public_post_is_published_once_and_its_id_is_a_string(world, clip):
    token = world.grant().access_token
    opened = open_upload(world, token, clip)
    open_upload(world, token, clip)
    assert put(world, opened, clip, 0).kind == "complete"
    said, answer = statuses(world, token, opened)
    assert said == ["PROCESSING_UPLOAD", "PUBLISH_COMPLETE"]
    assert len(answer.post_ids) == 1
    assert answer.post_ids[0].isdecimal()
    assert len(answer.post_ids[0]) == 19
    assert answer.uploaded_bytes == len(clip)
    assert world.public_posts() == 1


def test_a_private_post_gets_no_public_id(world, clip):
    token = world.grant().access_token
    opened = open_upload(world, token, clip, privacy_level="SELF_ONLY")
    put(world, opened, clip, 0)
    said, answer = statuses(world, token, opened)
    assert said[-1] == "PUBLISH_COMPLETE"
    assert answer.post_ids == ()


def test_a_draft_goes_to_the_inbox_and_is_no_post(world, clip):
    token = world.grant().access_token
    opened = open_upload(world, token, clip, draft=True, privacy_level=None)
    put(world, opened, clip, 0)
    said, _ = statuses(world, token, opened)
    assert said == ["PROCESSING_UPLOAD", "SEND_TO_USER_INBOX"]
    assert world.public_posts() == 0


def test_an_upload_without_all_its_bytes_publishes_nothing(world, long_clip):
    token = world.grant().access_token
    opened = open_upload(world, token, long_clip)
    put(world, opened, long_clip, 0)
    said, answer = statuses(world, token, opened)
    assert said == ["PROCESSING_UPLOAD"]
    assert answer.uploaded_bytes == CHUNK
    assert world.public_posts() == 0


def test_a_refused_video_says_why_and_is_no_post(world, clip):
    token = world.grant().access_token
    if isinstance(world, InMemory):
        data = clip
        refusal = PublishingFailed("TikTok does not take the file.", "Send another.", tiktok_code="file_format")
        world.tiktok.fail_next_post(refusal.failure())
    else:
        data = bytes(len(clip))
    opened = open_upload(world, token, data)
    put(world, opened, data, 0)
    said, answer = statuses(world, token, opened)
    assert said == ["PROCESSING_UPLOAD", "FAILED"]
    assert answer.failure.error
    assert world.public_posts() == 0


# Pictures
def test_a_carousel_is_published_once_all_its_pictures_are_pulled(world, host):
    token = world.grant().access_token
    publish_id = open_carousel(world, host, token)
    host.let_pull(publish_id)
    said, answer = statuses(world, token, publish_id)
    assert said == ["PROCESSING_DOWNLOAD", "PUBLISH_COMPLETE"]
    assert [len(post_id) for post_id in answer.post_ids] == [19]
    assert answer.uploaded_bytes is None
    assert world.public_posts() == 1
    assert not host.photo_host.fence(PREFIX)


def test_a_carousel_that_nobody_has_pulled_is_no_post(world, host):
    token = world.grant().access_token
    said, _ = statuses(world, token, open_carousel(world, host, token))
    assert said == ["PROCESSING_DOWNLOAD"]
    assert world.public_posts() == 0


def test_a_carousel_whose_address_was_fenced_first_never_is_a_post(world, host):
    token = world.grant().access_token
    publish_id = open_carousel(world, host, token)
    assert host.photo_host.fence(PREFIX)
    host.let_pull(publish_id)
    said, answer = statuses(world, token, publish_id)
    assert said[-1] == "FAILED"
    assert (answer.failure.tiktok_code, answer.failure.retryable) == ("photo_pull_failed", True)
    assert world.public_posts() == 0


def test_a_private_carousel_gets_no_public_id(world, host):
    token = world.grant().access_token
    publish_id = open_carousel(world, host, token, privacy_level="SELF_ONLY")
    host.let_pull(publish_id)
    said, answer = statuses(world, token, publish_id)
    assert (said[-1], answer.post_ids) == ("PUBLISH_COMPLETE", ())


@pytest.mark.parametrize(("text", "title"), [("caption", "title"), ("", "")])
def test_a_draft_of_pictures_goes_to_the_inbox_and_is_a_post_when_its_creator_says_so(world, host, text, title):
    token = world.grant().access_token
    publish_id = open_carousel(world, host, token, text=text, photo_title=title, draft=True, privacy_level=None)
    host.let_pull(publish_id)
    said, _ = statuses(world, token, publish_id)
    assert said == ["PROCESSING_DOWNLOAD", "SEND_TO_USER_INBOX"]
    assert world.public_posts() == 0
    world.finish_draft(publish_id)
    said, answer = statuses(world, token, publish_id)
    assert (said, len(answer.post_ids)) == (["PUBLISH_COMPLETE"], 1)
    assert world.public_posts() == 1


def test_a_draft_of_a_video_is_a_post_when_its_creator_says_so(world, clip):
    token = world.grant().access_token
    opened = open_upload(world, token, clip, draft=True, privacy_level=None)
    put(world, opened, clip, 0)
    statuses(world, token, opened)
    world.finish_draft(opened.publish_id)
    said, answer = statuses(world, token, opened)
    assert (said, len(answer.post_ids)) == (["PUBLISH_COMPLETE"], 1)
    assert world.public_posts() == 1


@pytest.mark.parametrize(
    "choices",
    [
        {"privacy_level": "FOLLOWER_OF_CREATOR"},
        {"photo_title": "t" * 91},
        {"photo_title": "t" * 91, "draft": True, "privacy_level": None},
        {"text": "t" * 4001},
        {"pictures": 36},
        {"pictures": 0},
        {"photo_cover_index": 3},
    ],
    ids=["privacy", "title", "title of a draft", "text", "many", "none", "cover"],
)
def test_tiktok_refuses_pictures_against_its_rules(world, host, choices):
    with pytest.raises(PublishingFailed):
        open_carousel(world, host, world.grant().access_token, **choices)


def test_every_carousel_is_another_one(world, host):
    token = world.grant().access_token
    assert open_carousel(world, host, token) != open_carousel(world, host, token)


def test_pictures_need_the_scope_of_what_is_made_of_them(world, host):
    token = world.grant("user.info.basic", "video.upload").access_token
    with pytest.raises(InvalidToken):
        open_carousel(world, host, token)
    assert open_carousel(world, host, token, draft=True, privacy_level=None)


# Videos and figures
FIGURES = {"view_count": 5000, "like_count": 400, "comment_count": 30, "share_count": 2}


def test_pages_lead_newest_first_through_every_video_once(world):
    added = world.add_videos(45)
    token = world.grant().access_token
    seen, cursor, sizes = [], None, []
    for _ in range(10):
        page = world.tiktok.videos(token, cursor=cursor, count=20)
        seen += [video.video_id for video in page.videos]
        sizes.append(len(page.videos))
        cursor = page.cursor
        if not page.has_more:
            break
    assert (seen, sizes) == (added[::-1], [20, 20, 5])
    assert world.tiktok.videos(token, cursor=cursor, count=20).videos == ()


def test_the_cursor_counts_milliseconds_and_a_video_seconds(world):
    world.add_videos(2, days=2)
    page = world.tiktok.videos(world.grant().access_token, cursor=None, count=1)
    assert [video.created_at for video in page.videos] == [NOW - 86400]
    assert (page.cursor, page.has_more) == ((NOW - 86400) * 1000, True)


def test_an_account_without_videos_has_none_and_no_more_to_come(world):
    page = world.tiktok.videos(world.grant().access_token, cursor=None, count=20)
    assert (page.videos, page.has_more) == ((), False)


def test_a_video_comes_with_its_figures_listed_and_named(world):
    (video_id,) = world.add_videos(1)
    world.set_figures(video_id, **FIGURES)
    token = world.grant().access_token
    (named,) = world.tiktok.find_videos(token, [video_id])
    assert named.model_dump(include=set(FIGURES)) == FIGURES
    assert (named.video_id, named.duration, named.description) == (video_id, 30, "Made in the app 1")
    (listed,) = world.tiktok.videos(token, cursor=None, count=1).videos
    assert listed == named


def test_a_public_post_is_listed_under_the_id_that_its_status_tells(world, clip):
    token = world.grant().access_token
    opened = open_upload(world, token, clip)
    put(world, opened, clip, 0)
    assert world.tiktok.videos(token, cursor=None, count=20).videos == ()
    _, answer = statuses(world, token, opened)
    (video,) = world.tiktok.videos(token, cursor=None, count=20).videos
    assert (video.video_id,) == answer.post_ids
    assert video.description == "caption"
    assert NOW <= video.created_at <= NOW + 10


def test_a_private_post_is_not_listed(world, clip):
    token = world.grant().access_token
    opened = open_upload(world, token, clip, privacy_level="SELF_ONLY")
    put(world, opened, clip, 0)
    statuses(world, token, opened)
    assert world.tiktok.videos(token, cursor=None, count=20).videos == ()
    assert world.tiktok.figures(token, SCOPES).video_count == 0


def test_only_own_public_videos_are_found(world):
    shown, hidden = world.add_videos(2)
    (foreign,) = world.add_videos(1, owner="emu_quiet")
    world.hide(hidden)
    token = world.grant().access_token
    found = world.tiktok.find_videos(token, [shown, hidden, foreign, "7575000000000009999"])
    assert [video.video_id for video in found] == [shown]
    assert [video.video_id for video in world.tiktok.videos(token, cursor=None, count=20).videos] == [shown]
    assert world.tiktok.find_videos(token, []) == ()


def test_an_accounts_figures_are_those_of_its_public_videos(world):
    videos = world.add_videos(3)
    for video_id in videos:
        world.set_figures(video_id, **FIGURES)
    world.hide(videos[0])
    figures = world.tiktok.figures(world.grant().access_token, SCOPES)
    assert (figures.likes_count, figures.video_count, figures.following_count) == (800, 2, 0)
    assert figures.follower_count >= 1204


@pytest.mark.parametrize("count", [0, 21])
def test_more_or_fewer_videos_than_tiktok_lists_at_once_are_the_callers_mistake(world, count):
    with pytest.raises(ValueError, match=str(count)):
        world.tiktok.videos(world.grant().access_token, cursor=None, count=count)


def test_tiktok_is_asked_for_twenty_videos_at_once_and_no_more(world):
    ids = world.add_videos(21)
    token = world.grant().access_token
    assert {video.video_id for video in world.tiktok.find_videos(token, ids[:20])} == set(ids[:20])
    with pytest.raises(ValueError, match="21"):
        world.tiktok.find_videos(token, ids)


def test_figures_that_were_not_granted_are_unknown_and_videos_that_were_not_are_refused(world):
    grant = world.grant("user.info.basic", "video.publish")
    assert world.tiktok.figures(grant.access_token, grant.scopes) == AccountFigures()
    with pytest.raises(InvalidToken):
        world.tiktok.figures(grant.access_token, SCOPES)
    for ask in (
        lambda: world.tiktok.videos(grant.access_token, cursor=None, count=20),
        lambda: world.tiktok.find_videos(grant.access_token, ["1"]),
    ):
        with pytest.raises(InvalidToken):
            ask()


def test_figures_need_a_living_token(world):
    grant = world.grant()
    world.revoke()
    for ask in (
        lambda: world.tiktok.figures(grant.access_token, SCOPES),
        lambda: world.tiktok.videos(grant.access_token, cursor=None, count=20),
        lambda: world.tiktok.find_videos(grant.access_token, ["1"]),
    ):
        with pytest.raises(TokenExpired):
            ask()


# The sandbox
@pytest.mark.parametrize("world", ["client"], indirect=True)
def test_tiktok_takes_no_pictures_from_an_address_that_it_does_not_know_for_the_apps(world, unverified):
    token = world.grant().access_token
    with pytest.raises(PublishingFailed) as raised:
        open_carousel(world, unverified, token)
    assert raised.value.tiktok_code == "url_ownership_unverified"
    unverified.verify_ownership()
    assert open_carousel(world, unverified, token)


@pytest.mark.parametrize("world", ["client"], indirect=True)
def test_tiktok_gets_every_choice_and_every_picture_in_order(world, host):
    token = world.grant().access_token
    publish_id = open_carousel(
        world, host, token, photo_title="title", photo_cover_index=2, auto_add_music=True, allow_comment=True
    )
    host.let_pull(publish_id)
    statuses(world, token, publish_id)
    (post,) = world.admin("log")["posts"]
    assert (post["title"], post["description"], post["privacy_level"]) == ("title", "caption", "PUBLIC_TO_EVERYONE")
    assert (post["photo_cover_index"], post["auto_add_music"], post["comments"]) == (2, True, True)
    assert post["photo_sha256"] == [hashlib.sha256(a_jpeg(number)).hexdigest() for number in (1, 2, 3)]
