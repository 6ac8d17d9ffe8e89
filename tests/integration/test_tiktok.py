"""The port TikTok: the fake that the use cases are tested with answers as the client of the sandbox does."""

import hashlib
import json
import struct
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from pydantic import SecretStr

from local.tiktok.server import Sandbox
from publisher.domain.accounts import SCOPES
from publisher.domain.chunks import ChunkPlan, plan_chunks
from publisher.domain.errors import ConnectionRefused, InvalidToken, PublishingFailed, TokenExpired
from publisher.ports import TikTokApp
from publisher.tiktok.client import TikTokClient
from publisher.tiktok.transport import Transport
from tests.builders import NOW, options
from tests.fakes import FakeClock, FakeTikTok
from tests.films import film

REDIRECT = "http://127.0.0.1:8123/oauth/tiktok/callback"
VERIFIER = "a-verifier-of-a-good-length-ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
CHALLENGE = hashlib.sha256(VERIFIER.encode()).hexdigest()
CREATOR = "emu_creator"
CHUNK = 10 * 1024 * 1024


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
        self.tiktok.revoke(CREATOR)

    def public_posts(self):
        return len(self.tiktok.public_posts)


class OverHttp:
    """The client, and what a test does to its sandbox."""

    def __init__(self, url):
        app = TikTokApp(client_key="sandbox-client-key", client_secret=SecretStr("sandbox-client-secret"))
        self.tiktok = TikTokClient(url, url, lambda: app, Transport())
        self._url = url
        self._admin("reset", {})
        self._admin("clock", {"frozen": True, "set": NOW})

    def _admin(self, path, content=None):
        body = None if content is None else json.dumps(content).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self._url}/_sandbox/{path}", body)) as answer:
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
        tokens = self._admin("grants", {"username": CREATOR, "scopes": scopes})
        return self.tiktok.refresh(SecretStr(tokens["refresh_token"]))

    def advance(self, seconds):
        self._admin("clock", {"advance": seconds})

    def revoke(self):
        self._admin("actions", {"action": "revoke", "username": CREATOR})

    def public_posts(self):
        return len(self._admin("log")["posts"])


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


def statuses(world, token, opened, times=8):
    """What TikTok says of a post, five seconds apart, without repetitions; and the last answer."""
    said = []
    for _ in range(times):
        answer = world.tiktok.status(token, opened.publish_id)
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
