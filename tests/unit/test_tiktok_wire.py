"""TikTok's messages, also in the odd forms that were seen."""

import pytest

from publisher.tiktok.wire import ApiError, CarouselData, Envelope, StatusData, TokenAnswer, Verdict, read


def a_status(data):
    envelope = read(Envelope[StatusData], b'{"data":%b,"error":{"code":"ok","message":"","log_id":"1"}}' % data)
    assert envelope is not None
    return envelope.data


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (b"[7575000000000000001]", (7575000000000000001,)),
        (b"[7575000000000000001,9223372036854775808123]", (7575000000000000001, 9223372036854775808123)),
        (b'["7575000000000000001"]', ("7575000000000000001",)),
        (b"[]", ()),
        (b"null", None),
    ],
)
def test_post_ids_keep_every_digit(ids, expected):
    assert a_status(b'{"status":"X","publicaly_available_post_id":%b}' % ids).publicaly_available_post_id == expected


def test_an_id_that_has_lost_digits_is_not_taken():
    body = b'{"data":{"status":"X","publicaly_available_post_id":[7.5e18]},"error":{"code":"ok"}}'

    assert read(Envelope[StatusData], body) is None


@pytest.mark.parametrize("key", ["log_id", "logid"])
def test_the_log_id_is_found_under_both_names(key):
    verdict = read(Verdict, b'{"error":{"code":"x","%b":"42"}}' % key.encode())

    assert verdict == Verdict(error=ApiError(code="x", log_id="42"))


@pytest.mark.parametrize("life", ["null", '""', '"soon"', "0", "-1", "1e400", "99999999999", "{}", "[]", "true"])
def test_a_life_that_cannot_be_read_does_not_lose_the_tokens(life):
    answer = read(TokenAnswer, b'{"access_token":"act.1","expires_in":%b}' % life.encode())

    assert answer is not None
    assert answer.expires_in is None


@pytest.mark.parametrize(("life", "seconds"), [("7200", 7200), ('"7200"', 7200)])
def test_a_life_is_read_as_number_or_text(life, seconds):
    answer = read(TokenAnswer, b'{"access_token":"act.1","expires_in":%b}' % life.encode())

    assert answer is not None
    assert answer.expires_in == seconds


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"access_token":', b'{"access_token":""}', b"<html>", b"\xff"])
def test_what_holds_no_message_is_read_as_none(body):
    assert read(TokenAnswer, body) is None


def test_a_token_is_not_shown():
    answer = read(TokenAnswer, b'{"access_token":"act.hunter2","refresh_token":"rft.hunter2"}')

    assert "hunter2" not in repr(answer)


@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf"])
def test_an_id_is_not_thrown_away_for_what_else_an_answer_lacks_or_begins_with(head):
    body = head + b'{"data":{"publish_id":"p_pub_url~v2.1"}}'
    verdict, envelope = read(Verdict, body), read(Envelope[CarouselData], body)

    assert verdict is not None
    assert envelope is not None
    assert (verdict.error.code, envelope.data.publish_id) == ("ok", "p_pub_url~v2.1")
