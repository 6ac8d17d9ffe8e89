"""The operator's check: what is wrong is found, what is right is left alone, and each finding says what to do."""

import pytest

from publisher.domain.errors import AccountDisabled, ServiceUnavailable, Timeout
from publisher.domain.posts import Status
from tests.builders import NOW, a_post

DAY = 86400


@pytest.fixture
def admin(http):
    http.key = http.make_key(scopes=("admin",))
    return http


def findings(http, check=None):
    answer = http.get("/v2/doctor")
    assert answer.status == 200, answer.body
    told = answer.json
    assert told["healthy"] is all(finding["status"] != "failed" for finding in told["findings"])
    assert all(finding["advice"] or finding["status"] == "ok" for finding in told["findings"])
    return [finding for finding in told["findings"] if check in (None, finding["check"])]


def the(http, check):
    (finding,) = findings(http, check)
    return finding


def test_a_stack_that_is_set_up_is_healthy(admin, ports):
    ports.connect()
    ports.ownership_tokens = ("abc",)
    ports.events.note(good=True, now=NOW)
    assert {finding["check"]: finding["status"] for finding in findings(admin)} == {
        "app credentials": "ok",
        "clock": "ok",
        "redirect URI": "unknown",
        "accounts": "ok",
        "audit": "unknown",
        "ownership file": "unknown",
        "webhook": "ok",
        "quotas": "ok",
    }


def test_only_an_admin_may_look(http):
    http.key = http.make_key(scopes=("posts:write", "accounts:write"))
    assert http.get("/v2/doctor").status == 403


def test_a_key_or_secret_that_tiktok_does_not_take_is_found(admin, ports):
    refusal = ServiceUnavailable("TikTok does not accept the app's key.", "Store it.", tiktok_code="invalid_client")
    ports.tiktok.faults.before("check_app", refusal)
    finding = the(admin, "app credentials")
    assert (finding["status"], finding["finding"], finding["advice"]) == ("failed", refusal.error, refusal.message)


def test_a_tiktok_that_does_not_answer_proves_nothing(admin, ports):
    outage = ServiceUnavailable("TikTok has an internal problem.", "Try again.", tiktok_code="server_error")
    for problem in (Timeout("TikTok did not answer.", "Try again."), outage):
        ports.tiktok.faults.before("check_app", problem)
        assert the(admin, "app credentials")["status"] == "unknown"


@pytest.mark.parametrize(("ahead", "status"), [(59, "ok"), (-59, "ok"), (61, "failed"), (-3600, "failed")])
def test_a_clock_that_is_wrong_is_found(admin, ports, ahead, status):
    ports.tiktok.clock_ahead = ahead
    assert the(admin, "clock")["status"] == status


def test_the_redirect_uri_to_register_is_named_to_the_letter(admin):
    assert "https://publish.example/oauth/tiktok/callback." in the(admin, "redirect URI")["advice"]


def test_an_address_without_https_is_found(admin, ports):
    ports.public_url = "http://publish.example"
    assert the(admin, "redirect URI")["status"] == "warning"


def test_accounts_that_cannot_be_used_or_lack_scopes_are_found_one_by_one(admin, ports):
    dead = ports.connect(open_id="dead", reauthorize_since=NOW, reauthorize_reason="TikTok refuses the token.")
    partial = ports.connect(open_id="partial", scopes=("user.info.basic", "video.upload"))
    (finding,) = findings(admin, "accounts")
    assert finding["status"] == "failed"
    assert dead.account_id in finding["finding"]
    assert "TikTok refuses the token." in finding["finding"]
    (finding,) = findings(admin, "scopes")
    assert partial.account_id in finding["finding"]
    assert "video.publish" in finding["finding"]


def test_a_workspace_without_accounts_is_told_how_to_connect_one(admin, ports):
    ports.connect(workspace_id="workspace-2")
    assert "/oauth/tiktok/start" in the(admin, "accounts")["advice"]


@pytest.mark.parametrize(
    ("code", "check"),
    [("unaudited_client_can_only_post_to_private_accounts", "audit"), ("url_ownership_unverified", "address")],
)
def test_what_tiktok_refused_lately_for_the_set_up_is_found(admin, ports, code, check):
    failure = ServiceUnavailable("It was refused.", "See the portal.", tiktok_code=code).failure()
    ports.posts.accept(a_post(status=Status.FAILED, failure=failure), None)
    assert the(admin, check)["status"] == "failed"


def test_the_ownership_file_to_look_at_is_named_with_its_content(admin, ports):
    ports.ownership_tokens = ("abc",)
    finding = the(admin, "ownership file")
    assert "https://publish.example/tiktokabc.txt" in finding["finding"]
    assert finding["advice"].endswith(" tiktok-developers-site-verification=abc")


def test_without_an_ownership_file_photos_are_named(admin):
    finding = the(admin, "ownership file")
    assert finding["status"] == "warning"
    assert "Photos" in finding["advice"]


def test_events_with_a_wrong_signature_are_found_until_a_right_one_comes(admin, ports):
    assert "No event" in the(admin, "webhook")["finding"]
    ports.events.note(good=False, now=NOW)
    assert "not signed" in the(admin, "webhook")["finding"]
    ports.events.note(good=True, now=NOW + 120)
    assert the(admin, "webhook")["status"] == "ok"


def test_a_creator_who_cannot_post_now_and_a_full_inbox_are_found(admin, ports):
    account = ports.connect()
    ports.tiktok.creator_answer = AccountDisabled("TikTok has banned the creator.", "He appeals in the app.")
    for _ in range(5):
        ports.posts.accept(a_post(account_id=account.account_id, status=Status.SEND_TO_USER_INBOX), None)
    inbox, posting = findings(admin, "quotas")
    assert (inbox["status"], "5 drafts" in inbox["finding"]) == ("warning", True)
    assert (posting["status"], "banned" in posting["finding"]) == ("failed", True)


def test_of_many_accounts_some_are_asked_about_and_the_rest_is_named(admin, ports):
    for number in range(12):
        ports.connect(open_id=f"open-{number}", account_id=f"00000000-0000-4000-8000-{number:012}")
    told = findings(admin, "quotas")
    assert [finding["status"] for finding in told] == ["ok"] * 10 + ["unknown"]


def test_nothing_of_another_workspace_is_told(admin, ports):
    other = ports.connect(workspace_id="workspace-2", open_id="other", reauthorize_since=NOW, reauthorize_reason="x")
    assert other.account_id not in admin.get("/v2/doctor").body
