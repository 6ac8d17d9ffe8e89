import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

VERIFIER = "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
CHALLENGE = "fb6d505a56c247cb5fe96eec9c9bef9693de4991e8aed4b5df2f4f031f93ee63"
REDIRECT = "http://127.0.0.1:8123/oauth/tiktok/callback"


def test_the_consent_page_is_a_form_with_users_scopes_and_two_buttons(tiktok):
    page = tiktok.authorize(disable_auto_auth="1", lang="de").text
    assert re.findall(r'name="username" value="(\w+)"', page) == [
        "emu_creator",
        "emu_private",
        "emu_quiet",
        "emu_banned",
    ]
    assert set(re.findall(r'name="scope" value="([\w.]+)"', page)) == {
        "user.info.basic",
        "video.publish",
        "video.upload",
    }
    assert re.findall(r'name="decision" value="(\w+)"', page) == ["allow", "deny"]


def test_the_consent_page_is_also_there_without_its_slash(tiktok, sent_back):
    page = tiktok.session.get(tiktok.authorize().url.replace("authorize/", "authorize"))
    assert page.status_code == 200
    assert "code" in sent_back(tiktok.decide(page))


def test_the_page_shows_what_it_is_given_as_text(tiktok):
    tiktok.app(name="<script>alert(1)</script>")
    assert "<script>" not in tiktok.authorize(state='"><script>').text


def test_consent_leads_through_the_code_to_tokens_of_the_documented_shape(tiktok, sent_back):
    back = sent_back(tiktok.decide(tiktok.authorize()))
    assert back["state"] == "a state/with ünicode"
    assert back["scopes"] == "user.info.basic,video.publish,video.upload"
    answer = tiktok.exchange(back["code"])
    tokens = answer.json()
    assert answer.status_code == 200
    assert set(tokens) == {
        "access_token",
        "expires_in",
        "open_id",
        "refresh_expires_in",
        "refresh_token",
        "scope",
        "token_type",
    }
    assert tokens["access_token"].startswith("act.")
    assert tokens["refresh_token"].startswith("rft.")
    assert tokens["token_type"] == "Bearer"
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == (86_400, 31_536_000)
    assert tiktok.creator_info(tokens["access_token"]).status_code == 200


def test_a_code_travels_url_encoded_and_fails_when_it_is_not_decoded(tiktok):
    location = tiktok.decide(tiktok.authorize()).headers["Location"]
    raw = re.search(r"code=([^&]+)", location)
    assert raw
    assert raw[1].endswith("%2A0%216410")
    assert tiktok.exchange(raw[1]).json()["error"] == "invalid_grant"


def test_the_short_profile_gives_two_hours_and_180_days(tiktok):
    tiktok.settings(token_profile="2h")
    tokens = tiktok.exchange(tiktok.code()).json()
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == (7_200, 15_552_000)
    tiktok.advance(7_199)
    assert tiktok.creator_info(tokens["access_token"]).status_code == 200
    tiktok.advance(1)
    assert tiktok.creator_info(tokens["access_token"]).json()["error"]["code"] == "access_token_invalid"


def test_unchecked_scopes_are_not_granted_but_the_basic_one_always_is(tiktok):
    tokens = tiktok.exchange(tiktok.code(form={"scope": ["video.upload"]})).json()
    assert tokens["scope"] == "user.info.basic,video.upload"
    answer = tiktok.creator_info(tokens["access_token"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "scope_not_authorized")


def test_the_chosen_user_is_the_one_behind_the_token(tiktok):
    token = tiktok.exchange(tiktok.code(form={"username": "emu_private"})).json()["access_token"]
    assert tiktok.creator_info(token).json()["data"]["creator_username"] == "emu_private"


def test_denying_sends_the_user_back_with_access_denied(tiktok, sent_back):
    back = sent_back(tiktok.decide(tiktok.authorize(), decision="deny"))
    assert back["error"] == "access_denied"
    assert back["state"] == "a state/with ünicode"
    assert "code" not in back


@pytest.mark.parametrize("change", [{"client_key": "other"}, {"redirect_uri": "https://evil.example/cb"}])
def test_an_unknown_app_or_redirect_uri_stays_on_a_page(tiktok, change):
    answer = tiktok.authorize(**change)
    assert answer.status_code == 400
    assert next(iter(change)) in answer.text
    assert tiktok.decide(answer).status_code == 400


@pytest.mark.parametrize(
    ("change", "error", "error_type"),
    [
        ({"response_type": "token"}, "unsupported_response_type", None),
        ({"scope": "user.info.basic video.publish"}, "invalid_scope", "scope"),
        ({"scope": "user.info.basic,video.delete"}, "invalid_scope", "scope"),
        ({"code_challenge_method": "plain"}, "param_error", "code_challenge"),
        ({"code_challenge": None}, "param_error", "code_challenge"),
        ({"state": None}, "param_error", "state"),
    ],
)
def test_other_mistakes_are_told_to_the_app(tiktok, sent_back, change, error, error_type):
    back = sent_back(tiktok.authorize(**change))
    assert (back["error"], back.get("error_type")) == (error, error_type)
    assert back["error_description"]
    assert back["log_id"]


def test_pkce_can_be_left_out_unless_the_switch_demands_it(tiktok, sent_back):
    without = {"code_challenge": None, "code_challenge_method": None}
    assert "access_token" in tiktok.exchange(tiktok.code(**without), code_verifier=None).json()
    tiktok.settings(pkce="required")
    back = sent_back(tiktok.authorize(**without))
    assert (back["error"], back["error_type"], back["errCode"]) == ("param_error", "code_challenge", "10007")


def test_the_challenge_is_hexadecimal_as_in_the_test_vector(tiktok):
    assert hashlib.sha256(VERIFIER.encode()).hexdigest() == CHALLENGE
    assert "access_token" in tiktok.exchange(tiktok.code(code_challenge=CHALLENGE)).json()


@pytest.mark.parametrize(
    ("challenge", "verifier"),
    [
        ("-21QWlbCR8tf6W7snJvvlpPeSZHortS131LwMfk-5jM", VERIFIER),
        (CHALLENGE, VERIFIER[:-1] + "8"),
        (CHALLENGE, None),
        (hashlib.sha256(b"too-short").hexdigest(), "too-short"),
    ],
)
def test_consent_succeeds_with_any_challenge_and_the_exchange_tells_a_wrong_one(tiktok, challenge, verifier):
    answer = tiktok.exchange(tiktok.code(code_challenge=challenge), code_verifier=verifier).json()
    assert answer["error_description"] == "Code verifier or code challenge is invalid"


def test_a_code_serves_once(tiktok):
    code = tiktok.code()
    assert "access_token" in tiktok.exchange(code).json()
    again = tiktok.exchange(code).json()
    assert (again["error"], again["error_description"]) == ("invalid_grant", "Authorization code is expired.")


def test_a_code_dies_after_its_minutes(tiktok):
    code = tiktok.code()
    tiktok.advance(600)
    assert tiktok.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"client_secret": "wrong"}, "invalid_client", "Client key or secret is incorrect."),
        ({"client_key": "wrong"}, "invalid_client", "Client key or secret is incorrect."),
        ({"client_secret": None}, "invalid_request", "Client secret is missed in request."),
        ({"code": None}, "invalid_request", "Code is missed in request."),
        (
            {"redirect_uri": REDIRECT + "/"},
            "invalid_request",
            "Redirect_uri is not matched with the uri when requesting code.",
        ),
        ({"grant_type": "password"}, "unsupported_grant_type", "The grant type is not supported."),
    ],
)
def test_token_errors_are_flat_and_come_under_http_200(tiktok, form, error, description):
    answer = tiktok.exchange(tiktok.code(), **form)
    assert answer.status_code == 200
    assert answer.json() == {
        "error": error,
        "error_description": description,
        "log_id": answer.headers["x-tt-logid"],
    }
    tiktok.settings(oauth_error_status=400)
    assert tiktok.exchange("used", **form).status_code == 400


def test_the_token_endpoint_takes_no_json(tiktok):
    answer = tiktok.session.post(f"{tiktok.url}/v2/oauth/token/", json={"grant_type": "client_credentials"})
    assert answer.json()["error_description"] == "The request parameters are malformed."


def test_a_code_of_one_app_is_nothing_to_another(tiktok):
    other = {"client_key": "other-key", "client_secret": "other-secret"}
    tiktok.admin("POST", "apps", other)
    assert tiktok.exchange(tiktok.code(), **other).json()["error"] == "invalid_grant"
    assert tiktok.refresh(tiktok.grant()["refresh_token"], **other).json()["error"] == "invalid_grant"


def test_an_app_can_have_a_token_of_its_own_that_publishes_nothing(tiktok):
    answer = tiktok.oauth(grant_type="client_credentials").json()
    assert set(answer) == {"access_token", "expires_in", "token_type"}
    assert answer["access_token"].startswith("clt.")
    assert tiktok.creator_info(answer["access_token"]).status_code == 401


def test_a_refresh_rotates_and_the_old_access_token_lives_on(tiktok):
    first = tiktok.grant()
    second = tiktok.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["open_id"] == first["open_id"]
    assert tiktok.creator_info(first["access_token"]).status_code == 200
    assert tiktok.creator_info(second["access_token"]).status_code == 200
    used = tiktok.refresh(first["refresh_token"]).json()
    assert (used["error"], used["error_description"]) == ("invalid_grant", "Refresh token is invalid or expired.")


def test_racing_refreshes_have_exactly_one_winner(tiktok):
    form = {"client_key": "sandbox-client-key", "client_secret": "sandbox-client-secret", "grant_type": "refresh_token"}
    form["refresh_token"] = tiktok.grant()["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: requests.post(f"{tiktok.url}/v2/oauth/token/", data=form).json(), range(8)))
    assert sum("access_token" in answer for answer in answers) == 1
    assert sum(answer.get("error") == "invalid_grant" for answer in answers) == 7


def test_rotation_can_be_switched_off(tiktok):
    tiktok.settings(refresh_rotation="never")
    refresh_token = tiktok.grant()["refresh_token"]
    assert tiktok.refresh(refresh_token).json()["refresh_token"] == refresh_token
    assert "access_token" in tiktok.refresh(refresh_token).json()


def test_a_rotated_refresh_token_lives_through_its_grace(tiktok):
    tiktok.settings(refresh_grace_seconds=30)
    refresh_token = tiktok.grant()["refresh_token"]
    assert "access_token" in tiktok.refresh(refresh_token).json()
    tiktok.advance(29)
    assert "access_token" in tiktok.refresh(refresh_token).json()
    tiktok.advance(1)
    assert tiktok.refresh(refresh_token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("lifetime", "left"), [("restarts", 31_536_000), ("counts_down", 31_535_000)])
def test_the_year_of_a_refresh_token_starts_anew_or_counts_down(tiktok, lifetime, left):
    tiktok.settings(refresh_lifetime=lifetime)
    refresh_token = tiktok.grant()["refresh_token"]
    tiktok.advance(1_000)
    assert tiktok.refresh(refresh_token).json()["refresh_expires_in"] == left


def test_a_refresh_token_dies_after_its_year(tiktok):
    refresh_token = tiktok.grant()["refresh_token"]
    tiktok.advance(31_536_000)
    assert tiktok.refresh(refresh_token).json()["error"] == "invalid_grant"


def test_a_refresh_answer_may_lack_its_lifetime(tiktok):
    tiktok.settings(refresh_omits_expires_in=True)
    assert "expires_in" not in tiktok.refresh(tiktok.grant()["refresh_token"]).json()


def test_revoking_ends_every_token_of_the_user(tiktok):
    first, second = tiktok.grant(), tiktok.grant()
    answer = tiktok.revoke(first["access_token"])
    assert (answer.status_code, answer.json()) == (200, {})
    assert tiktok.creator_info(second["access_token"]).status_code == 401
    assert tiktok.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert tiktok.revoke(first["access_token"]).json()["error"] == "invalid_grant"


def test_an_app_in_sandbox_mode_knows_only_its_target_users(tiktok, sent_back):
    tiktok.app(mode="sandbox")
    tiktok.user("emu_creator", target_user=False)
    back = sent_back(tiktok.decide(tiktok.authorize()))
    assert (back["error"], back["error_type"]) == ("access_denied", "non_sandbox_target")


@pytest.mark.parametrize(
    ("registered", "asked", "accepted"),
    [
        ("https://app.example/cb", "https://app.example/cb", True),
        ("https://app.example/cb", "https://app.example/cb/", False),
        ("http://localhost:*/cb", "http://localhost:4711/cb", True),
        ("http://localhost:*/cb", "http://localhost:4711/other", False),
        ("http://localhost:*", "http://localhost:4711/any/path", True),
        ("http://localhost:*", "http://localhost:4711/cb?x=1", False),
        ("http://localhost:*", "http://localhost.evil.example:80/cb", False),
        ("http://localhost:*", "http://localhost:x/cb", False),
    ],
)
def test_a_redirect_uri_is_registered_exactly_or_with_any_port(tiktok, registered, asked, accepted):
    tiktok.app(redirect_uris=[registered])
    assert tiktok.authorize(redirect_uri=asked).status_code == (200 if accepted else 400)
