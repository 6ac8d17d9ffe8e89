"""Faults on demand, before and after the effect of a call."""

import time

import pytest
import requests


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def publishes(tiktok):
    return len(tiktok.log()["publishes"])


@pytest.mark.parametrize(("when", "effects"), [("before", 0), ("after", 1)])
def test_a_fault_strikes_before_or_after_the_effect(tiktok, when, effects):
    tiktok.fault("video/init", {"status": 500, "body": {"oops": 1}}, when=when)
    answer = tiktok.init(tiktok.token())
    assert (answer.status_code, answer.json()) == (500, {"oops": 1})
    assert publishes(tiktok) == effects


def test_a_fault_spares_the_first_calls_and_strikes_a_number_of_times(tiktok):
    token = tiktok.token()
    tiktok.fault("status", {"code": "internal_error"}, skip=2, times=2)
    answers = [tiktok.status(token, "x").status_code for _ in range(6)]
    assert answers == [400, 400, 500, 500, 400, 400]
    assert tiktok.admin("GET", "faults") == {"faults": []}


def test_faults_of_one_endpoint_strike_in_their_order(tiktok):
    tiktok.admin(
        "POST",
        "faults",
        [
            {"endpoint": "creator_info", "do": {"status": 503}},
            {"endpoint": "creator_info", "do": {"status": 502}, "times": 2},
            {"endpoint": "creator_info", "do": {"status": 504}, "skip": 1},
        ],
    )
    token = tiktok.token()
    assert [tiktok.creator_info(token).status_code for _ in range(5)] == [503, 502, 502, 504, 200]


def test_other_endpoints_are_left_alone_and_faults_can_be_cleared(tiktok):
    tiktok.fault("token", {"status": 500}, times=9)
    assert tiktok.creator_info(tiktok.token()).status_code == 200
    assert tiktok.oauth(grant_type="client_credentials").status_code == 500
    tiktok.admin("DELETE", "faults")
    assert tiktok.oauth(grant_type="client_credentials").status_code == 200


@pytest.mark.parametrize("action", ["reset", "drop"])
@pytest.mark.parametrize(("when", "effects"), [("before", 0), ("after", 1)])
def test_a_connection_can_break_instead_of_an_answer(tiktok, action, when, effects):
    token = tiktok.token()
    tiktok.fault("video/init", action, when=when)
    with pytest.raises(requests.ConnectionError) as error:
        tiktok.init(token)
    assert ("ConnectionResetError" in repr(error.value)) is (action == "reset")
    assert publishes(tiktok) == effects


def test_a_timeout_holds_the_connection_and_then_closes_it(tiktok):
    tiktok.settings(hold_seconds=0.2)
    token = tiktok.token()
    tiktok.fault("creator_info", "timeout")
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        tiktok.creator_info(token)
    assert time.monotonic() - began >= 0.2


def test_json_can_be_cut(tiktok):
    tiktok.fault("video/init", "cut_json", when="after")
    answer = tiktok.init(tiktok.token())
    assert answer.status_code == 200
    assert answer.text.startswith('{"data":{"publish_id":"v_pub_file')
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_web_page_can_come_instead_of_json(tiktok):
    tiktok.fault("status", "html")
    answer = tiktok.status(tiktok.token(), "x")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("rate_limit_exceeded", 429),
        ("access_token_invalid", 401),
        ("spam_risk_too_many_posts", 403),
        ("url_ownership_unverified", 403),
        ("internal_error", 500),
    ],
)
def test_a_code_of_tiktok_comes_with_its_own_http_status(tiktok, name, status):
    tiktok.fault("video/init", {"code": name})
    assert code(tiktok.init(tiktok.token())) == (status, name)


def test_a_code_that_blocks_a_creator_comes_under_200_from_creator_info(tiktok):
    tiktok.fault("creator_info", {"code": "reached_active_user_cap"})
    assert code(tiktok.creator_info(tiktok.token())) == (200, "reached_active_user_cap")


def test_a_code_nobody_knows_can_come(tiktok):
    tiktok.fault("status", "unknown_code")
    assert code(tiktok.status(tiktok.token(), "x")) == (400, "code_nobody_has_documented")


def test_the_token_endpoint_fails_in_its_own_shape(tiktok):
    tiktok.fault("token", {"code": "invalid_grant", "message": "as ordered"}, when="after")
    first = tiktok.grant()
    answer = tiktok.refresh(first["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (200, "invalid_grant")
    assert answer.json()["error_description"] == "as ordered"
    assert tiktok.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("when", "resent"), [("before", 201), ("after", 416)])
def test_a_chunk_may_count_although_its_answer_was_lost(tiktok, clip, when, resent):
    token = tiktok.token()
    url = tiktok.init(token).json()["data"]["upload_url"]
    tiktok.fault("upload", "drop", when=when)
    with pytest.raises(requests.ConnectionError):
        tiktok.put(url, bytes(1000))
    assert tiktok.put(url, bytes(1000)).status_code == resent


def test_an_upload_can_fail_with_any_status_and_header(tiktok):
    url = tiktok.init(tiktok.token()).json()["data"]["upload_url"]
    tiktok.fault("upload", {"status": 416, "headers": {"Content-Range": "bytes 0-7/1000"}})
    answer = tiktok.put(url, bytes(1000))
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes 0-7/1000")
    assert tiktok.put(url, bytes(1000)).status_code == 201


def test_the_log_tells_which_call_was_spoiled(tiktok):
    tiktok.fault("creator_info", "drop")
    tiktok.fault("creator_info", {"code": "internal_error"}, when="after")
    token = tiktok.token()
    with pytest.raises(requests.ConnectionError):
        tiktok.creator_info(token)
    tiktok.creator_info(token)
    calls = [(call["status"], call["fault"]) for call in tiktok.log()["calls"]]
    assert calls == [(None, "drop before"), (500, '{"code":"internal_error"} after')]


@pytest.mark.parametrize(
    "fault",
    [
        {"endpoint": "video/innit", "do": "drop"},
        {"endpoint": "token", "do": "explode"},
        {"endpoint": "token", "do": "drop", "times": 0},
        {"endpoint": "token"},
        {"endpoint": "token", "do": {"status": 99}},
    ],
)
def test_a_wrong_fault_is_refused_with_a_sentence(tiktok, fault):
    answer = tiktok.session.post(f"{tiktok.url}/_sandbox/faults", json=[fault])
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert tiktok.admin("GET", "faults") == {"faults": []}
