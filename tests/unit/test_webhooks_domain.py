"""Which events are TikTok's, and what they say."""

import hashlib
import hmac
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from publisher.domain.errors import InvalidRequest, InvalidSignature
from publisher.domain.webhooks import check_signature, read_event

NOW = 1_790_000_000
SECRET = SecretStr("testsecret")
# A vector that was not made by this code.
BODY = (
    rb'{"client_key":"awtestkey00000001","event":"post.publish.complete","create_time":1790000000,'
    rb'"user_openid":"-000TestOpenId","content":"{\"publish_id\":\"v_pub_file~v2-1.7500000000000000001\",'
    rb'\"publish_type\":\"DIRECT_PUBLISH\"}"}'
)
SIGNATURE = "e0deaa03a25d622a04a00ed5cc9645d66039f95c2edf541f025a96928d7a7290"
HEADER = f"t={NOW},s={SIGNATURE}"


def signed(body: bytes, t: object = NOW, secret: str = "testsecret") -> str:
    return f"t={t},s={hmac.new(secret.encode(), f'{t}.'.encode() + body, hashlib.sha256).hexdigest()}"


def check(header: str | None = HEADER, body: bytes = BODY, secrets=(SECRET,), now: float = NOW) -> None:
    check_signature(header, body, secrets, now)


def test_the_documented_vector_is_accepted():
    check()


@pytest.mark.parametrize(
    "header",
    [
        f"t={NOW},s={'0' * 64},s={SIGNATURE}",
        f"t={NOW},s={SIGNATURE},s={'0' * 64}",
        f"s={SIGNATURE},t={NOW}",
        f" t={NOW} , s={SIGNATURE} ",
        f"t={NOW},s={SIGNATURE.upper()}",
        f"t={NOW},s={SIGNATURE},v=2,x",
    ],
    ids=["second of two", "first of two", "other order", "spaces", "capitals", "unknown parts"],
)
def test_one_good_signature_is_enough_however_the_header_is_written(header):
    check(header)


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "t", "s", "t=,s=", f"t={NOW}", f"s={SIGNATURE}", f"t={NOW},s=", f"t=,s={SIGNATURE}"),
        *(f"t={NOW} {SIGNATURE}", f"t=x,s={SIGNATURE}", f"t=-{NOW},s={SIGNATURE}", f"t={NOW}.0,s={SIGNATURE}"),
        *(f"t={NOW},t={NOW},s={SIGNATURE}", f"t=1{'0' * 400},s={SIGNATURE}", f"t=\uff11790000000,s={SIGNATURE}"),
        *(f"T={NOW},S={SIGNATURE}", f"t={NOW},s=é", f"t={NOW},s={SIGNATURE[:-1]}", f"t={NOW},s={SIGNATURE}0"),
        *(f"t={NOW - 1},s={SIGNATURE}", f"t=0{NOW},s={SIGNATURE}", f"t={NOW},v={SIGNATURE}", f"t={NOW},s={'0' * 64}"),
    ],
)
def test_any_other_header_is_refused(header):
    with pytest.raises(InvalidSignature) as refused:
        check(header)
    assert SIGNATURE not in f"{refused.value.error} {refused.value.message}"


@pytest.mark.parametrize(
    "body",
    [
        BODY + b"\n",
        BODY[:-1],
        BODY.replace(b"complete", b"failed"),
        json.dumps(json.loads(BODY)).encode(),
        json.dumps(json.loads(BODY), separators=(",", ":"), sort_keys=True).encode(),
        b"",
    ],
    ids=["a byte more", "a byte less", "changed", "written again", "keys sorted", "empty"],
)
def test_a_body_that_is_not_to_the_byte_what_was_signed_is_refused(body):
    with pytest.raises(InvalidSignature):
        check(body=body)


def test_a_body_need_not_be_text():
    body = b"\xff\x00\xfe"
    check(signed(body), body)


def test_while_the_secret_changes_both_count_and_no_third():
    both = (SecretStr("new"), SECRET)
    check(secrets=both)
    check(signed(BODY, secret="new"), secrets=both)
    with pytest.raises(InvalidSignature):
        check(signed(BODY, secret="third"), secrets=both)
    with pytest.raises(InvalidSignature):
        check(secrets=(SecretStr("new"),))


@pytest.mark.parametrize("age", [0, 60, 600, 50 * 3600, 73 * 3600, -60, -300])
def test_a_signature_counts_as_long_as_tiktok_repeats_events_and_a_little_ahead_of_our_clock(age):
    check(signed(BODY, NOW - age))


@pytest.mark.parametrize(("age", "said"), [(73 * 3600 + 1, "too old"), (10**9, "too old"), (-301, "in the future")])
def test_a_signature_of_another_time_is_refused(age, said):
    with pytest.raises(InvalidSignature, match=said):
        check(signed(BODY, NOW - age))


def test_an_event_is_read():
    event = read_event(BODY)
    assert (event.client_key, event.kind, event.created_at) == ("awtestkey00000001", "post.publish.complete", NOW)
    assert (event.open_id, event.publish_id) == ("-000TestOpenId", "v_pub_file~v2-1.7500000000000000001")
    assert event.about_a_post
    assert (event.withdrawn, event.removed) == (False, False)


@pytest.mark.parametrize(
    "kind", ["post.publish.no_longer_publicaly_available", "post.publish.no_longer_publicly_available"]
)
def test_a_post_that_is_public_no_more_is_recognized_in_both_spellings(kind):
    assert read_event(BODY.replace(b"post.publish.complete", kind.encode())).withdrawn


@pytest.mark.parametrize("content", ['{"reason":2}', '{"reason":2,"more":{}}'])
def test_a_removal_says_why(content):
    event = read_event(
        json.dumps({"event": "authorization.removed", "user_openid": "open", "content": content}).encode()
    )
    assert event.removed
    assert (event.reason, event.open_id) == (2, "open")
    assert not event.about_a_post


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"event": "post.publish.complete"},
        {"event": "post.publish.complete", "content": {"publish_id": "p"}},
        {"event": "post.publish.complete", "content": "no JSON"},
        {"event": "post.publish.complete", "content": '["publish_id"]'},
        {"event": "post.publish.complete", "content": '{"publish_id":7}'},
        {"event": "portability.download.ready", "content": '{"request_id":1}'},
        {"event": "authorization.removed", "content": '{"reason":1}'},
        {"event": None, "user_openid": 3, "create_time": "soon", "client_key": []},
        {"event": "authorization.removed", "create_time": 10**400, "content": '{"reason":"1"}'},
    ],
)
def test_an_event_without_what_we_look_for_is_about_nothing(said):
    event = read_event(json.dumps(said).encode())
    assert (event.about_a_post, event.removed) == (False, False)


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_event_at_all_is_a_wrong_request(body):
    with pytest.raises(InvalidRequest):
        read_event(body)


@given(header=st.text(), body=st.binary())
def test_whatever_comes_the_answer_is_a_refusal_and_no_fault(header, body):
    with pytest.raises(InvalidSignature):
        check(header, body)
    with suppress(InvalidRequest):
        read_event(body)


@pytest.mark.parametrize("odd", ["x" * 5000, "\ud800", "\0"])
def test_an_id_that_nothing_can_have_is_none(odd):
    event = read_event(json.dumps({"client_key": "k", "event": "authorization.removed", "user_openid": odd}).encode())
    assert (event.open_id, event.removed) == ("", False)
