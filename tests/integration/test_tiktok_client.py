"""The TikTok client against a server that answers as told, in every way that was documented, seen or feared."""

import json
import logging
import secrets
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from traceback import format_exception
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from publisher.domain import errors
from publisher.domain.chunks import Chunk, plan_chunks
from publisher.domain.metrics import AccountFigures, VideoFigures
from publisher.ports import TikTokApp
from publisher.tiktok.client import TikTokClient
from publisher.tiktok.transport import Transport
from tests.builders import options

LOG_ID = "20261122103000EMU0000000000000001"
TOKEN = SecretStr("act.token")
MIB = 1024 * 1024


def http(status=200, body=b"", *, length=None, **headers):
    """An answer as bytes; `length` may lie about the body."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ok(**data):
    return said(200, {"data": data, "error": {"code": "ok", "message": "", "log_id": LOG_ID}})


def said(status, content, **headers):
    return http(status, json.dumps(content).encode(), Content_Type="application/json", **headers)


def refusal(status, code, message="", **headers):
    return said(status, {"error": {"code": code, "message": message, "log_id": LOG_ID}}, **headers)


@dataclass
class Request:
    connection: int
    method: str
    target: str
    headers: dict
    body: bytes

    @property
    def form(self):
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Stub:
    """A server that gives one answer after the other, the last again and again, and keeps what it was sent.

    An answer is bytes, or "reset", "close", "hold" (answer nothing) or "slow" (read slowly, then answer 206).
    """

    answers: list = field(default_factory=lambda: [http(500)])
    requests: list = field(default_factory=list)

    def __post_init__(self):
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets, self._threads = [self._listener], [threading.Thread(target=self._accept)]
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads[0].start()

    def stop(self):
        self._stopped.set()
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in self._sockets:
            sock.close()

    def _accept(self):
        for number in range(1000):
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            self._threads.append(threading.Thread(target=self._serve, args=(sock, number)))
            self._threads[-1].start()

    def _serve(self, sock, number):
        with suppress(OSError), sock, sock.makefile("rb") as stream:
            while (head := stream.readline()) and self._answer(sock, stream, number, head):
                pass

    def _answer(self, sock, stream, number, head):
        """Answer a request; False when the connection ends with it."""
        method, target, _ = head.decode().split(" ")
        headers = {}
        while (line := stream.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "slow":
            self._stopped.wait(0.6)
            answer = http(206)
        body = stream.read(int(headers.get("content-length", 0)))
        self.requests.append(Request(number, method, target, headers, body))
        if answer == "hold":
            self._stopped.wait()
        elif answer == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif answer != "close":
            sock.sendall(answer)
        return isinstance(answer, bytes) and b"Connection: close" not in answer


@pytest.fixture
def stub():
    stub = Stub()
    yield stub
    stub.stop()


def a_client(url, *, secret="app-secret", **seconds):
    app = TikTokApp(client_key="app-key", client_secret=SecretStr(secret))
    patience = {"connect_seconds": 2, "answer_seconds": 0.3, "chunk_seconds": 0.3, **seconds}
    return TikTokClient(url, "https://auth.example", lambda: app, Transport(**patience))


@pytest.fixture
def client(stub):
    return a_client(stub.url, answer_seconds=5, chunk_seconds=5)


def put(client, url, data=b"x" * 100, first=0, total=None, *, is_last=True):
    chunk = Chunk(first=first, last=first + len(data) - 1, is_last=is_last)
    return client.put_chunk(
        SecretStr(url), chunk=chunk, total=total or len(data), content_type="video/mp4", data=memoryview(data)
    )


def open_upload(client, token=TOKEN, text="caption", **choices):
    return client.open_upload(token, text=text, options=options(**choices), plan=plan_chunks(50_000_123))


PICTURE_URLS = [f"https://publish.example/media/0123456789abcdef0123456789abcdef/{number}.jpg" for number in (1, 2, 3)]


def open_carousel(client, token=TOKEN, text="caption", **choices):
    return client.open_carousel(token, text=text, options=options(**choices), picture_urls=PICTURE_URLS)


CALLS = {
    "exchange_code": lambda client: client.exchange_code(code="code", verifier="verifier", redirect_uri="https://us"),
    "refresh": lambda client: client.refresh(SecretStr("rft.token")),
    "revoke": lambda client: client.revoke(TOKEN),
    "profile": lambda client: client.profile(TOKEN, ["user.info.basic"]),
    "creator": lambda client: client.creator(TOKEN),
    "open_upload": open_upload,
    "open_upload of a draft": lambda client: open_upload(client, draft=True),
    "open_carousel": open_carousel,
    "open_carousel of a draft": lambda client: open_carousel(client, draft=True),
    "status": lambda client: client.status(TOKEN, "v_pub_file~v2-1.1"),
    "figures": lambda client: client.figures(TOKEN, ["user.info.stats"]),
    "videos": lambda client: client.videos(TOKEN, cursor=None, count=20),
    "find_videos": lambda client: client.find_videos(TOKEN, ["7575000000000000002"]),
}
BEARER_CALLS = [name for name in CALLS if name not in ("exchange_code", "refresh", "revoke")]
TOKENS = {
    "access_token": "act.new",
    "expires_in": 7200,
    "open_id": "-000open",
    "refresh_expires_in": 15552000,
    "refresh_token": "rft.new",
    "scope": "user.info.basic,video.publish",
    "token_type": "Bearer",
}


class TestConnecting:
    def test_the_consent_page_gets_every_parameter_with_commas_between_scopes(self, client):
        url = urlsplit(
            client.authorize_url(
                state="st&te", challenge="ab12", redirect_uri="https://us/cb/", scopes=["user.info.basic", "video.list"]
            )
        )

        assert f"{url.scheme}://{url.netloc}{url.path}" == "https://auth.example/v2/auth/authorize/"
        assert parse_qs(url.query) == {
            "client_key": ["app-key"],
            "response_type": ["code"],
            "scope": ["user.info.basic,video.list"],
            "redirect_uri": ["https://us/cb/"],
            "state": ["st&te"],
            "code_challenge": ["ab12"],
            "code_challenge_method": ["S256"],
            "disable_auto_auth": ["1"],
        }

    def test_a_code_is_traded_with_tiktoks_form(self, stub, client):
        stub.answers = [said(200, TOKENS)]

        grant = client.exchange_code(code="co*de!1", verifier="verifier", redirect_uri="https://us/cb")

        assert (stub.requests[0].method, stub.requests[0].target) == ("POST", "/v2/oauth/token/")
        assert stub.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
        assert stub.requests[0].form == {
            "client_key": "app-key",
            "client_secret": "app-secret",
            "grant_type": "authorization_code",
            "code": "co*de!1",
            "redirect_uri": "https://us/cb",
            "code_verifier": "verifier",
        }
        assert grant.open_id == "-000open"
        assert grant.access_token.get_secret_value() == "act.new"
        assert grant.refresh_token.get_secret_value() == "rft.new"
        assert (grant.expires_in, grant.refresh_expires_in) == (7200, 15552000)
        assert grant.scopes == ("user.info.basic", "video.publish")

    def test_a_refresh_sends_the_old_token_and_returns_the_new_one(self, stub, client):
        stub.answers = [said(200, TOKENS)]

        grant = client.refresh(SecretStr("rft.old"))

        assert stub.requests[0].form == {
            "client_key": "app-key",
            "client_secret": "app-secret",
            "grant_type": "refresh_token",
            "refresh_token": "rft.old",
        }
        assert grant.refresh_token.get_secret_value() == "rft.new"

    def test_a_refresh_that_tells_only_the_access_token_keeps_the_rest(self, stub, client):
        stub.answers = [said(200, {"access_token": "act.new"})]

        grant = client.refresh(SecretStr("rft.old"))

        assert grant.refresh_token.get_secret_value() == "rft.old"
        assert (grant.expires_in, grant.refresh_expires_in) == (86400, 180 * 86400)
        assert grant.scopes == ()

    @pytest.mark.parametrize("missing", ["access_token", "refresh_token", "open_id"])
    def test_a_connection_needs_all_that_identifies_it(self, stub, client, missing):
        stub.answers = [said(200, {name: value for name, value in TOKENS.items() if name != missing})]

        with pytest.raises(errors.ServiceUnavailable):
            CALLS["exchange_code"](client)

    @pytest.mark.parametrize("status", [200, 400, 401])
    def test_a_refusal_counts_under_any_status(self, stub, client, status):
        gone = {"error": "invalid_grant", "error_description": "Refresh token is invalid or expired.", "log_id": LOG_ID}
        stub.answers = [said(status, gone)]

        with pytest.raises(errors.TokenExpired) as raised:
            CALLS["refresh"](client)

        assert (raised.value.tiktok_code, raised.value.tiktok_log_id) == ("invalid_grant", LOG_ID)

    def test_a_code_used_before_is_refused(self, stub, client):
        stub.answers = [said(200, {"error": "invalid_grant", "error_description": "Authorization code is expired."})]

        with pytest.raises(errors.ConnectionRefused):
            CALLS["exchange_code"](client)

    def test_the_api_dialect_is_understood_from_a_token_endpoint_too(self, stub, client):
        stub.answers = [refusal(429, "rate_limit_exceeded", Retry_After="9")]

        with pytest.raises(errors.RateLimitExceeded) as raised:
            CALLS["refresh"](client)

        assert raised.value.retry_after == 9

    @pytest.mark.parametrize("answer", [http(200), said(200, {})])
    def test_access_is_taken_back(self, stub, client, answer):
        stub.answers = [answer]

        client.revoke(TOKEN)

        assert stub.requests[0].target == "/v2/oauth/revoke/"
        assert stub.requests[0].form["token"] == "act.token"

    def test_access_is_not_taken_back_by_a_web_page_with_an_error_status(self, stub, client):
        stub.answers = [http(403, b"<html>no</html>")]

        with pytest.raises(errors.ServiceUnavailable):
            client.revoke(TOKEN)


class TestCalls:
    def test_a_profile_asks_only_for_what_the_scopes_allow(self, stub, client):
        stub.answers = [ok(user={"open_id": "-000open", "display_name": "Ann", "avatar_url": "https://a/1"})]

        profile = client.profile(TOKEN, ["video.publish", "user.info.basic"])

        assert stub.requests[0].method == "GET"
        assert stub.requests[0].target == "/v2/user/info/?fields=open_id,display_name,avatar_url"
        assert stub.requests[0].headers["authorization"] == "Bearer act.token"
        assert (profile.open_id, profile.display_name, profile.avatar_url) == ("-000open", "Ann", "https://a/1")
        assert profile.username == ""

    def test_a_profile_asks_for_the_username_when_it_may(self, stub, client):
        stub.answers = [ok(user={"open_id": "-000open", "username": "ann", "display_name": None})]

        assert client.profile(TOKEN, ["user.info.basic", "user.info.profile"]).username == "ann"
        assert stub.requests[0].target.endswith("?fields=open_id,display_name,avatar_url,username")

    def test_a_profile_without_a_scope_is_empty_and_asks_nothing(self, stub, client):
        assert client.profile(TOKEN, ["video.publish"]).username == ""
        assert stub.requests == []

    def test_a_creators_options_are_returned(self, stub, client):
        stub.answers = [
            ok(
                comment_disabled=False,
                creator_avatar_url="https://a/1",
                creator_nickname="Ann",
                creator_username="ann",
                duet_disabled=False,
                max_video_post_duration_sec=600,
                privacy_level_options=["PUBLIC_TO_EVERYONE", "SELF_ONLY"],
                stitch_disabled=True,
            )
        ]

        creator = client.creator(TOKEN)

        assert stub.requests[0].target == "/v2/post/publish/creator_info/query/"
        assert stub.requests[0].json == {}
        assert creator.privacy_level_options == ("PUBLIC_TO_EVERYONE", "SELF_ONLY")
        assert (creator.comment_disabled, creator.duet_disabled, creator.stitch_disabled) == (False, False, True)
        assert (creator.username, creator.nickname, creator.avatar_url) == ("ann", "Ann", "https://a/1")
        assert creator.max_video_post_duration_sec == 600

    @pytest.mark.parametrize(
        ("code", "name", "retry_after"),
        [
            ("spam_risk_too_many_posts", "PostLimitReached", 86400),
            ("spam_risk_user_banned_from_posting", "AccountDisabled", None),
            ("reached_active_user_cap", "PostLimitReached", 86400),
        ],
    )
    def test_a_creator_who_cannot_post_is_refused_although_http_says_200(self, stub, code, name, retry_after):
        error = {"code": code, "message": "no", "log_id": LOG_ID}
        stub.answers = [said(200, {"error": error}), said(200, {"error": error, "data": {}})]
        for _ in stub.answers[:]:
            with pytest.raises(errors.PublisherError) as raised:
                a_client(stub.url, answer_seconds=5).creator(TOKEN)

            failure = raised.value.failure()
            assert (failure.name, failure.retry_after) == (name, retry_after)
            assert (failure.tiktok_code, failure.tiktok_log_id) == (code, LOG_ID)

    def test_a_direct_post_opens_with_every_choice(self, stub, client):
        stub.answers = [ok(publish_id="v_pub_file~v2-1.7", upload_url="https://upload.example/?upload_token=1")]

        opened = open_upload(
            client, text="Ein Hase 🐇 #film", allow_duet=True, brand_organic=True, is_ai_generated=True
        )

        assert stub.requests[0].target == "/v2/post/publish/video/init/"
        assert stub.requests[0].headers["content-type"] == "application/json; charset=UTF-8"
        assert stub.requests[0].json == {
            "post_info": {
                "title": "Ein Hase 🐇 #film",
                "privacy_level": "PUBLIC_TO_EVERYONE",
                "disable_comment": True,
                "disable_duet": False,
                "disable_stitch": True,
                "brand_content_toggle": False,
                "brand_organic_toggle": True,
                "is_aigc": True,
            },
            "source_info": {
                "source": "FILE_UPLOAD",
                "video_size": 50_000_123,
                "chunk_size": 10 * MIB,
                "total_chunk_count": 4,
            },
        }
        assert opened.publish_id == "v_pub_file~v2-1.7"
        assert opened.upload_url.get_secret_value() == "https://upload.example/?upload_token=1"

    def test_a_cover_moment_is_sent_when_it_was_chosen_even_if_it_is_the_first(self, stub, client):
        stub.answers = [ok(publish_id="1", upload_url="https://upload.example/")]

        open_upload(client, video_cover_timestamp_ms=0)

        assert stub.requests[0].json["post_info"]["video_cover_timestamp_ms"] == 0

    def test_a_post_without_a_caption_sends_no_title(self, stub, client):
        stub.answers = [ok(publish_id="1", upload_url="https://upload.example/")]

        open_upload(client, text="")

        assert "title" not in stub.requests[0].json["post_info"]

    def test_a_draft_opens_with_nothing_but_its_source(self, stub, client):
        stub.answers = [ok(publish_id="v_inbox_file~v2.7", upload_url="https://upload.example/")]

        open_upload(client, draft=True)

        assert stub.requests[0].target == "/v2/post/publish/inbox/video/init/"
        assert list(stub.requests[0].json) == ["source_info"]

    @pytest.mark.parametrize("missing", ["publish_id", "upload_url"])
    def test_an_upload_that_lacks_its_id_or_address_is_not_open(self, stub, client, missing):
        whole = {"publish_id": "1", "upload_url": "https://upload.example/"}
        stub.answers = [ok(**{name: value for name, value in whole.items() if name != missing})]

        with pytest.raises(errors.ServiceUnavailable) as raised:
            open_upload(client)

        assert "cannot be understood" in raised.value.error

    def test_pictures_are_published_with_every_choice_and_nothing_that_is_for_videos(self, stub, client):
        stub.answers = [ok(publish_id="p_pub_url~v2.7575000000000000011")]

        publish_id = open_carousel(
            client,
            text="Drei Hasen 🐇 #film",
            photo_title="Hasen",
            photo_cover_index=2,
            auto_add_music=True,
            brand_content=True,
            allow_duet=True,
            is_ai_generated=True,
            video_cover_timestamp_ms=7,
        )

        assert stub.requests[0].target == "/v2/post/publish/content/init/"
        assert stub.requests[0].headers["content-type"] == "application/json; charset=UTF-8"
        assert stub.requests[0].headers["authorization"] == "Bearer act.token"
        assert stub.requests[0].json == {
            "media_type": "PHOTO",
            "post_mode": "DIRECT_POST",
            "post_info": {
                "title": "Hasen",
                "description": "Drei Hasen 🐇 #film",
                "privacy_level": "PUBLIC_TO_EVERYONE",
                "disable_comment": True,
                "auto_add_music": True,
                "brand_content_toggle": True,
                "brand_organic_toggle": False,
            },
            "source_info": {"source": "PULL_FROM_URL", "photo_images": PICTURE_URLS, "photo_cover_index": 2},
        }
        assert publish_id == "p_pub_url~v2.7575000000000000011"

    def test_pictures_as_a_draft_take_along_their_texts_alone(self, stub, client):
        stub.answers = [ok(publish_id="p_pub_url~v2.7")]

        open_carousel(client, draft=True, photo_title="Hasen", auto_add_music=True, brand_organic=True)

        sent = stub.requests[0].json
        assert sent["post_mode"] == "MEDIA_UPLOAD"
        assert sent["post_info"] == {"title": "Hasen", "description": "caption"}

    def test_pictures_without_a_choice_have_the_first_as_cover_and_no_empty_texts(self, stub, client):
        stub.answers = [ok(publish_id="p_pub_url~v2.7")]

        open_carousel(client, text="")
        open_carousel(client, text="", draft=True)

        direct, draft = (request.json for request in stub.requests)
        assert direct["source_info"]["photo_cover_index"] == draft["source_info"]["photo_cover_index"] == 0
        assert {"title", "description"}.isdisjoint(direct["post_info"])
        assert draft["post_info"] == {}

    @pytest.mark.parametrize("data", [{}, {"publish_id": ""}, {"publish_id": None}])
    def test_pictures_that_were_taken_without_an_id_may_or_may_not_be_published(self, stub, client, data):
        stub.answers = [ok(**data)]

        with pytest.raises(errors.ServiceUnavailable) as raised:
            open_carousel(client)

        assert "cannot be understood" in raised.value.error

    def test_a_refusal_does_not_show_where_the_pictures_are(self, stub, client):
        stub.answers = [refusal(403, "url_ownership_unverified", f"{PICTURE_URLS[0]} is not yours")]

        with pytest.raises(errors.PublishingFailed) as raised:
            open_carousel(client)

        assert "0123456789abcdef" not in repr(raised.value.failure())

    def test_a_status_gives_its_post_ids_as_text_with_every_digit(self, stub, client):
        stub.answers = [
            ok(publicaly_available_post_id=[7575000000000000001], status="PUBLISH_COMPLETE", uploaded_bytes=1048576)
        ]

        status = client.status(TOKEN, "v_pub_file~v2-1.7")

        assert stub.requests[0].target == "/v2/post/publish/status/fetch/"
        assert stub.requests[0].json == {"publish_id": "v_pub_file~v2-1.7"}
        assert status.post_ids == ("7575000000000000001",)
        assert (status.status, status.uploaded_bytes, status.failure) == ("PUBLISH_COMPLETE", 1048576, None)

    @pytest.mark.parametrize("ids", [{}, {"publicaly_available_post_id": []}, {"publicaly_available_post_id": None}])
    def test_a_status_without_post_ids_has_none(self, stub, client, ids):
        stub.answers = [ok(status="PUBLISH_COMPLETE", **ids)]

        assert client.status(TOKEN, "1").post_ids == ()

    def test_a_failed_post_brings_its_reason_as_our_failure(self, stub, client):
        stub.answers = [ok(status="FAILED", fail_reason="frame_rate_check_failed")]

        failure = client.status(TOKEN, "1").failure

        assert failure is not None
        assert (failure.name, failure.code) == ("VideoProcessingFailed", "VideoProcessingFailed")
        assert (failure.tiktok_code, failure.tiktok_log_id) == ("frame_rate_check_failed", LOG_ID)

    @pytest.mark.parametrize("data", [{"data": {}}, {"data": None}, {}, {"data": []}])
    def test_a_good_answer_without_data_is_no_answer(self, stub, client, data):
        stub.answers = [said(200, {**data, "error": {"code": "ok", "message": "", "log_id": LOG_ID}})]

        with pytest.raises(errors.ServiceUnavailable):
            client.status(TOKEN, "1")

    def test_each_call_has_a_connection_of_its_own(self, stub, client):
        stub.answers = [ok(status="X")]

        client.status(TOKEN, "1")
        client.status(TOKEN, "1")

        assert [request.connection for request in stub.requests] == [0, 1]


SHARED_ERRORS = [
    (400, "invalid_param", "PublishingFailed"),
    (400, "invalid_params", "PublishingFailed"),
    (400, "invalid_file_upload", "VideoProcessingFailed"),
    (400, "app_version_check_failed", "PublishingFailed"),
    (400, "invalid_publish_id", "PublishingFailed"),
    (400, "token_not_authorized_for_specified_publish_id", "PublishingFailed"),
    (400, "publish_not_cancellable", "PublishingFailed"),
    (403, "spam_risk_too_many_posts", "PostLimitReached"),
    (403, "spam_risk_user_banned_from_posting", "AccountDisabled"),
    (403, "reached_active_user_cap", "PostLimitReached"),
    (403, "spam_risk_too_many_pending_share", "PostLimitReached"),
    (403, "unaudited_client_can_only_post_to_private_accounts", "PublishingFailed"),
    (403, "url_ownership_unverified", "PublishingFailed"),
    (403, "privacy_level_option_mismatch", "PublishingFailed"),
    (400, "privacy_level_option_mismatch", "PublishingFailed"),
    (401, "access_token_invalid", "TokenExpired"),
    (401, "scope_not_authorized", "InvalidToken"),
    (400, "scope_permission_missed", "InvalidToken"),
    (429, "rate_limit_exceeded", "RateLimitExceeded"),
    (500, "internal_error", "ServiceUnavailable"),
]


A_VIDEO = {
    "id": "7575000000000000002",
    "create_time": 1_789_980_000,
    "video_description": "Ein Hase 🐇",
    "duration": 31,
    "cover_image_url": "https://cdn.example/c.jpeg?x-signature=1",
    "share_url": "https://www.tiktok.com/@ann/video/7575000000000000002",
    "view_count": 3_000_000_000,
    "like_count": 4,
    "comment_count": 3,
    "share_count": 2,
}
VIDEO_FIELDS = ",".join(A_VIDEO)


class TestFigures:
    def test_an_accounts_figures_are_asked_for_and_returned(self, stub, client):
        stub.answers = [
            ok(user={"follower_count": 1204, "following_count": 7, "likes_count": 5_310_000_000, "video_count": 0})
        ]

        figures = client.figures(TOKEN, ["user.info.basic", "user.info.stats"])

        assert stub.requests[0].method == "GET"
        assert stub.requests[0].target == "/v2/user/info/?fields=follower_count,following_count,likes_count,video_count"
        assert (figures.follower_count, figures.following_count) == (1204, 7)
        assert (figures.likes_count, figures.video_count) == (5_310_000_000, 0)

    def test_figures_without_their_scope_are_unknown_and_nothing_is_asked(self, stub, client):
        assert client.figures(TOKEN, ["user.info.basic", "video.list"]) == AccountFigures()
        assert stub.requests == []

    def test_a_figure_that_tiktok_does_not_tell_is_unknown(self, stub, client):
        stub.answers = [ok(user={"follower_count": 0, "likes_count": None})]

        assert client.figures(TOKEN, ["user.info.stats"]) == AccountFigures(follower_count=0)

    def test_a_page_of_videos_is_asked_for_and_returned(self, stub, client):
        stub.answers = [ok(videos=[A_VIDEO], cursor=1_789_980_000_000, has_more=True)]

        page = client.videos(TOKEN, cursor=1_790_000_000_000, count=5)

        assert (stub.requests[0].method, stub.requests[0].target) == ("POST", f"/v2/video/list/?fields={VIDEO_FIELDS}")
        assert stub.requests[0].json == {"cursor": 1_790_000_000_000, "max_count": 5}
        assert (page.cursor, page.has_more) == (1_789_980_000_000, True)
        assert page.videos == (
            VideoFigures(
                video_id="7575000000000000002",
                created_at=1_789_980_000,
                description="Ein Hase 🐇",
                duration=31,
                cover_url="https://cdn.example/c.jpeg?x-signature=1",
                share_url="https://www.tiktok.com/@ann/video/7575000000000000002",
                view_count=3_000_000_000,
                like_count=4,
                comment_count=3,
                share_count=2,
            ),
        )

    def test_the_first_page_is_asked_for_without_a_cursor(self, stub, client):
        stub.answers = [ok(videos=None, cursor=0, has_more=False)]

        page = client.videos(TOKEN, cursor=None, count=20)

        assert stub.requests[0].json == {"max_count": 20}
        assert (page.videos, page.has_more) == ((), False)

    def test_more_videos_without_a_cursor_cannot_be_asked_for(self, stub, client):
        stub.answers = [ok(videos=[A_VIDEO], has_more=True)]

        assert client.videos(TOKEN, cursor=None, count=20).has_more is False

    def test_named_videos_are_asked_for_and_returned(self, stub, client):
        stub.answers = [ok(videos=[A_VIDEO], cursor=0, has_more=False)]

        found = client.find_videos(TOKEN, ["7575000000000000002", "7575000000000009999"])

        assert (stub.requests[0].method, stub.requests[0].target) == ("POST", f"/v2/video/query/?fields={VIDEO_FIELDS}")
        assert stub.requests[0].json == {"filters": {"video_ids": ["7575000000000000002", "7575000000000009999"]}}
        assert [(video.video_id, video.view_count) for video in found] == [("7575000000000000002", 3_000_000_000)]

    def test_no_ids_make_no_call(self, stub, client):
        assert client.find_videos(TOKEN, []) == ()
        assert stub.requests == []

    def test_numbers_and_texts_that_are_left_out_or_null_are_empty(self, stub, client):
        bare = {"id": "1", "create_time": 5}
        stub.answers = [ok(videos=[bare, {**dict.fromkeys(A_VIDEO), **bare}])]

        assert client.find_videos(TOKEN, ["1"]) == (VideoFigures(video_id="1", created_at=5),) * 2

    @pytest.mark.parametrize("missing", ["id", "create_time"])
    def test_a_video_that_cannot_be_told_from_others_makes_the_answer_unreadable(self, stub, client, missing):
        stub.answers = [ok(videos=[{name: value for name, value in A_VIDEO.items() if name != missing}])]

        with pytest.raises(errors.ServiceUnavailable):
            client.videos(TOKEN, cursor=None, count=20)

    def test_an_answer_that_says_nothing_of_videos_does_not_say_that_there_are_none(self, stub, client):
        stub.answers = [ok()]

        for ask in (CALLS["videos"], CALLS["find_videos"]):
            with pytest.raises(errors.ServiceUnavailable):
                ask(client)


class TestRefusals:
    @pytest.mark.parametrize("name", BEARER_CALLS)
    @pytest.mark.parametrize("row", SHARED_ERRORS, ids=lambda row: f"{row[0]}-{row[1]}")
    def test_every_documented_refusal_becomes_ours(self, stub, client, name, row):
        status, code, expected = row
        stub.answers = [refusal(status, code, "TikTok's words")]

        with pytest.raises(errors.PublisherError) as raised:
            CALLS[name](client)

        assert type(raised.value).__name__ == expected
        assert (raised.value.tiktok_code, raised.value.tiktok_log_id) == (code, LOG_ID)

    @pytest.mark.parametrize(
        ("name", "scope"),
        [
            ("profile", "user.info.basic"),
            ("creator", "video.publish"),
            ("open_upload", "video.publish"),
            ("open_upload of a draft", "video.upload"),
            ("open_carousel", "video.publish"),
            ("open_carousel of a draft", "video.upload"),
            ("status", "video.publish or video.upload"),
            ("figures", "user.info.stats"),
            ("videos", "video.list"),
            ("find_videos", "video.list"),
        ],
    )
    def test_a_missing_scope_is_named(self, stub, client, name, scope):
        stub.answers = [refusal(401, "scope_not_authorized")]

        with pytest.raises(errors.InvalidToken) as raised:
            CALLS[name](client)

        assert raised.value.error == f"The account has not granted {scope}."


WHOLE = json.dumps(
    {
        **TOKENS,
        "data": {
            "user": {},
            "max_video_post_duration_sec": 600,
            "publish_id": "1",
            "upload_url": "https://upload.example/",
            "status": "X",
            "videos": [],
        },
        "error": {"code": "ok", "message": "", "log_id": LOG_ID},
    }
).encode()
"""A good answer to every call."""
NOT_CLEAR = {
    "a web page": http(200, b"<html>Welcome</html>"),
    "a gateway's page": http(502, b"<html>Bad Gateway</html>"),
    "a firewall's page": http(403, b"<html>Forbidden</html>"),
    "an error without a body": http(500),
    "json cut short": http(200, b'{"data":{"stat'),
    "a body cut short": http(200, b'{"data":{"stat', length=100, Connection="close"),
    "something else": said(200, ["a", "list"]),
    "a redirect": http(302, Location="/elsewhere"),
    "json too deep": http(200, b'{"error":' * 5000),
    "not http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "too much": http(200, WHOLE + b" " * (2 * MIB)),
    "two lengths": http(200, WHOLE, Content_length="7"),
    "a broken gzip": http(200, b"no gzip", Content_Encoding="gzip"),
    "a reset": "reset",
    "a closed connection": "close",
}


class TestNoClearAnswer:
    @pytest.mark.parametrize("name", CALLS)
    @pytest.mark.parametrize("answer", NOT_CLEAR.values(), ids=NOT_CLEAR)
    def test_what_is_no_answer_of_tiktoks_leaves_open_whether_it_acted(self, stub, client, name, answer):
        stub.answers = [answer]

        with pytest.raises(errors.ServiceUnavailable) as raised:
            CALLS[name](client)

        assert raised.value.retryable
        assert len(stub.requests) == 1  # nothing is repeated here

    @pytest.mark.parametrize("name", CALLS)
    def test_a_whole_answer_is_clear(self, stub, client, name):
        stub.answers = [http(200, WHOLE)]

        CALLS[name](client)

    @pytest.mark.parametrize("name", CALLS)
    def test_silence_is_a_timeout(self, stub, name):
        stub.answers = ["hold"]

        with pytest.raises(errors.Timeout):
            CALLS[name](a_client(stub.url))

    @pytest.mark.parametrize("name", CALLS)
    def test_nobody_there_is_no_answer(self, name):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

        with pytest.raises(errors.ServiceUnavailable):
            CALLS[name](a_client(f"http://127.0.0.1:{port}"))

    def test_an_unknown_name_is_no_answer(self):
        with pytest.raises(errors.ServiceUnavailable):
            CALLS["status"](a_client("http://tiktok.invalid"))

    def test_a_rate_limit_on_a_web_page_is_one(self, stub, client):
        stub.answers = [http(429, b"<html>slow down</html>", Retry_After="5", X_Tt_Logid=LOG_ID)]

        with pytest.raises(errors.RateLimitExceeded) as raised:
            client.status(TOKEN, "1")

        assert (raised.value.retry_after, raised.value.tiktok_log_id) == (5, LOG_ID)

    def test_proxies_of_the_environment_are_not_used(self, stub, client, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        stub.answers = [ok(status="X")]

        assert client.status(TOKEN, "1").status == "X"


class TestChunks:
    def test_a_chunk_is_sent_verbatim_with_its_range_and_no_token(self, stub, client):
        stub.answers = [http(206)]
        data = secrets.token_bytes(300_000)

        put(client, f"{stub.url}/up%2Fload?upload_id=1&upload_token=a%2Bb", data, first=1000, total=301_000)

        request = stub.requests[0]
        assert (request.method, request.target) == ("PUT", "/up%2Fload?upload_id=1&upload_token=a%2Bb")
        assert request.headers["content-length"] == "300000"
        assert request.headers["content-range"] == "bytes 1000-300999/301000"
        assert request.headers["content-type"] == "video/mp4"
        assert "authorization" not in request.headers
        assert "transfer-encoding" not in request.headers
        assert request.body == data

    @pytest.mark.parametrize(
        ("status", "is_last", "kind"),
        [
            (201, True, "complete"),
            (201, False, "complete"),
            (206, False, "more"),
            (206, True, "more"),
            (200, True, "complete"),
            (200, False, "more"),
            (403, True, "gone"),
            (404, False, "gone"),
        ],
    )
    def test_the_status_says_how_to_go_on(self, stub, client, status, is_last, kind):
        stub.answers = [http(status, b"whatever")]

        assert put(client, stub.url, is_last=is_last).kind == kind

    @pytest.mark.parametrize(
        ("header", "received"),
        [
            ({"Content_Range": "bytes 0-10485760/50000123"}, 10485760),
            ({"Content_Range": "bytes 0-0/50000123"}, 0),
            ({"Content_Range": "bytes */50000123"}, None),
            ({"Content_Range": "nonsense"}, None),
            ({}, None),
        ],
    )
    def test_a_chunk_out_of_order_tells_how_much_has_arrived(self, stub, client, header, received):
        stub.answers = [http(416, **header)]

        answer = put(client, stub.url)

        assert (answer.kind, answer.received) == ("out_of_order", received)

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (302, "ServiceUnavailable"),
            (400, "PublishingFailed"),
            (401, "PublishingFailed"),
            (413, "PublishingFailed"),
            (429, "RateLimitExceeded"),
            (500, "ServiceUnavailable"),
            (502, "ServiceUnavailable"),
        ],
    )
    def test_other_answers_are_errors_with_the_log_id(self, stub, client, status, expected):
        stub.answers = [http(status, X_Tt_Logid=LOG_ID)]

        with pytest.raises(errors.PublisherError) as raised:
            put(client, stub.url)

        assert type(raised.value).__name__ == expected
        assert raised.value.tiktok_log_id == LOG_ID

    @pytest.mark.parametrize(
        "answer",
        ["reset", "close", b"nonsense\r\n\r\n", http(206, b"x", length=5, Connection="close")],
        ids=["a reset", "a closed connection", "not http", "a body cut short"],
    )
    def test_a_broken_answer_leaves_open_whether_the_chunk_counts(self, stub, client, answer):
        stub.answers = [answer]

        with pytest.raises(errors.ServiceUnavailable):
            put(client, stub.url)

    def test_silence_after_a_chunk_is_a_timeout(self, stub):
        stub.answers = ["hold"]

        with pytest.raises(errors.Timeout):
            put(a_client(stub.url), stub.url)

    def test_a_chunk_may_take_longer_to_send_than_a_connection_to_open(self, stub):
        stub.answers = ["slow"]
        client = a_client(stub.url, connect_seconds=0.2, chunk_seconds=5)

        assert put(client, stub.url, bytes(20 * MIB)).kind == "more"

    def test_the_chunks_of_an_upload_share_a_connection(self, stub, client):
        stub.answers = [http(206), http(206), http(201)]

        kinds = [put(client, stub.url, first=100 * number, total=300).kind for number in range(3)]

        assert kinds == ["more", "more", "complete"]
        assert {request.connection for request in stub.requests} == {0}

    def test_the_upload_hosts_cookies_are_not_sent_back(self, stub, client):
        stub.answers = [http(206, Set_Cookie="session=1; Path=/")]

        put(client, stub.url)
        put(client, stub.url)

        assert "cookie" not in stub.requests[1].headers

    def test_after_a_broken_chunk_the_same_one_goes_out_on_a_new_connection(self, stub, client):
        stub.answers = [http(206), "reset", http(206)]
        put(client, stub.url)

        with pytest.raises(errors.ServiceUnavailable):
            put(client, stub.url)

        assert put(client, stub.url).kind == "more"
        assert [request.connection for request in stub.requests] == [0, 0, 1]

    def test_bytes_that_are_not_the_chunks_are_not_sent(self, stub, client):
        chunk = Chunk(first=0, last=99, is_last=True)

        with pytest.raises(ValueError, match="does not have 50 bytes"):
            client.put_chunk(
                SecretStr(stub.url), chunk=chunk, total=100, content_type="video/mp4", data=memoryview(b"x" * 50)
            )

        assert stub.requests == []


def chain_of(error):
    seen = []
    waiting = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and link not in seen:
            seen.append(link)
            waiting += [link.__cause__, link.__context__]
    return seen


def everything_shown(error):
    texts = [error.failure().model_dump_json(), *format_exception(error)]
    for link in chain_of(error):
        texts += [str(link), repr(link), repr(link.args), repr(vars(link))]
    return "\n".join(texts)


def outcome(call):
    """All that is shown of an answer or an error, and how many errors there are."""
    try:
        return repr(call()), 0
    except errors.PublisherError as error:
        return everything_shown(error), len(chain_of(error))


CANARY = secrets.token_hex(12)
"""In every secret that goes out or comes back."""
ECHOES = {
    "nothing": http(500),
    "a message": refusal(400, "invalid_params", f"bad act.{CANARY} {CANARY} https://upload.example/{CANARY}"),
    "a code": refusal(400, CANARY, log_id=CANARY),
    "a log id": said(400, {"error": {"code": "x", "message": "", "log_id": f"act.{CANARY}"}}),
    "an oauth refusal": said(200, {"error": CANARY, "error_description": f"rft.{CANARY}", "log_id": CANARY}),
    "a header": http(500, X_Tt_Logid=f"act.{CANARY}", Retry_After=CANARY),
    "a redirect": http(302, Location=f"http://127.0.0.1:1/{CANARY}"),
    "an answer that does not fit": said(
        200,
        {
            "access_token": [f"act.{CANARY}"],
            "data": {"publish_id": "", "upload_url": CANARY, "status": [CANARY]},
            "error": {"code": "ok"},
        },
    ),
    "a fail reason": ok(status="FAILED", fail_reason=f"act.{CANARY}"),
    "cut json": http(200, f'{{"access_token":"act.{CANARY}'.encode()),
    "a cut body": http(200, CANARY.encode(), length=100, Connection="close"),
    "no http": f"{CANARY}\r\n".encode(),
    "a reset": "reset",
    "silence": "hold",
}
LEAKY_CALLS = {
    "exchange_code": lambda client, _: client.exchange_code(code=CANARY, verifier=CANARY, redirect_uri="https://us"),
    "refresh": lambda client, _: client.refresh(SecretStr(CANARY)),
    "revoke": lambda client, _: client.revoke(SecretStr(CANARY)),
    "profile": lambda client, _: client.profile(SecretStr(CANARY), ["user.info.basic"]),
    "creator": lambda client, _: client.creator(SecretStr(CANARY)),
    "open_upload": lambda client, _: open_upload(client, SecretStr(CANARY)),
    "open_carousel": lambda client, _: open_carousel(client, SecretStr(CANARY)),
    "status": lambda client, _: client.status(SecretStr(CANARY), "1"),
    "figures": lambda client, _: client.figures(SecretStr(CANARY), ["user.info.stats"]),
    "videos": lambda client, _: client.videos(SecretStr(CANARY), cursor=None, count=20),
    "find_videos": lambda client, _: client.find_videos(SecretStr(CANARY), ["1"]),
    "put_chunk": lambda client, url: put(client, f"{url}/?upload_token={CANARY}"),
    "a token no header can hold": lambda client, _: client.status(SecretStr(f"{CANARY}\r\nX: y"), "1"),
    "a token of other letters": lambda client, _: client.status(SecretStr(f"{CANARY}\u20ac"), "1"),
}


class TestSecrets:
    @pytest.mark.parametrize("name", LEAKY_CALLS)
    @pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES)
    def test_no_secret_is_in_an_error_its_chain_or_the_log(self, stub, caplog, name, answer):
        caplog.set_level(logging.DEBUG)
        stub.answers = [answer]
        client = a_client(stub.url, secret=f"app-{CANARY}")

        shown, links = outcome(lambda: LEAKY_CALLS[name](client, stub.url))

        assert links <= 1
        assert CANARY not in shown
        assert CANARY not in caplog.text

    @pytest.mark.parametrize(
        "url", ["http://[{}", "ftp://host/{}", "{}", "http://{}.invalid/", "http://127.0.0.1:1/{}"]
    )
    def test_no_upload_address_is_in_an_error_when_it_cannot_be_used(self, stub, caplog, url):
        caplog.set_level(logging.DEBUG)

        with pytest.raises(errors.ServiceUnavailable) as raised:
            put(a_client(stub.url), url.format(CANARY))

        assert len(chain_of(raised.value)) == 1
        assert CANARY not in everything_shown(raised.value)
        assert CANARY not in caplog.text
