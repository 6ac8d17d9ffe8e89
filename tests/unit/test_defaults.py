"""The owner's options for posts that give none, and what the creator may choose now, over HTTP."""

import pytest

from publisher.domain.errors import AccountDisabled, Busy
from publisher.ports import PostQuery
from tests.builders import a_creator
from tests.unit.conftest import assert_failed

CHOICES = {
    "privacyLevel": "SELF_ONLY",
    "allowComment": True,
    "allowDuet": True,
    "allowStitch": False,
    "brandContentToggle": False,
    "brandOrganicToggle": True,
    "draft": False,
    "isAiGenerated": True,
    "videoCoverTimestampMs": 1500,
    "photoCoverIndex": 0,
    "photoTitle": "A title",
    "autoAddMusic": True,
}
FILM, PHOTOS = "https://media.example/film.mp4", ["https://media.example/1.jpg", "https://media.example/2.jpg"]


@pytest.fixture
def account(ports):
    return ports.connect()


def defaults_of(account):
    return f"/v2/accounts/{account.account_id}/defaults"


def publish(http, account, urls=FILM, **post):
    content = {"text": "A rabbit", "mediaUrls": urls, "platform": "tiktok"}
    body = {"post": {"accountId": account.account_id, "content": content, **post}}
    return http.call("POST", "/v2/posts", body, headers={"Prefer": "respond-async"})


def options_of_the_post(http, answer):
    assert answer.status == 202, answer.body
    return http.get(answer.json["statusUrl"]).json["options"]


def test_an_account_begins_without_defaults(http, account):
    answer = http.get(defaults_of(account))
    assert (answer.status, answer.json) == (200, {"accountId": account.account_id, "defaults": None})


def test_defaults_are_kept_as_they_were_chosen(http, account):
    answer = http.call("PUT", defaults_of(account), CHOICES)
    assert (answer.status, answer.json) == (200, {"accountId": account.account_id, "defaults": CHOICES})
    assert http.get(defaults_of(account)).json == answer.json


def test_new_defaults_replace_the_old_ones_whole(http, account):
    http.call("PUT", defaults_of(account), CHOICES)
    http.call("PUT", defaults_of(account), {"allowComment": True})
    shown = http.get(defaults_of(account)).json["defaults"]
    assert (shown["allowComment"], shown["privacyLevel"], shown["photoTitle"]) == (True, None, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"privacyLevel": "EVERYBODY"},
        {"privacyLevel": "SELF_ONLY", "brandContentToggle": True},
        {"photoTitle": "x" * 91},
        {"allowComment": "yes"},
        {"nothing": 1},
        [],
    ],
)
def test_defaults_that_no_post_could_have_are_refused_and_change_nothing(http, account, wrong):
    http.call("PUT", defaults_of(account), CHOICES)
    answer = http.call("PUT", defaults_of(account), wrong)
    assert_failed(answer, 400, answer.json["code"])
    assert http.get(defaults_of(account)).json["defaults"] == CHOICES


def test_a_post_without_options_takes_all_of_the_defaults(http, account):
    http.call("PUT", defaults_of(account), CHOICES)
    assert options_of_the_post(http, publish(http, account)) == CHOICES


def test_a_post_with_options_takes_only_who_may_watch_from_the_defaults(http, account):
    http.call("PUT", defaults_of(account), CHOICES)
    shown = options_of_the_post(http, publish(http, account, tiktokOptions={"allowStitch": True}))
    assert (shown["privacyLevel"], shown["allowStitch"], shown["allowComment"]) == ("SELF_ONLY", True, False)


def test_photos_take_the_owners_choice_before_the_default_of_photos(http, account):
    http.call("PUT", defaults_of(account), {"privacyLevel": "SELF_ONLY"})
    assert options_of_the_post(http, publish(http, account, PHOTOS))["privacyLevel"] == "SELF_ONLY"


def test_a_choice_of_the_post_wins_over_the_defaults(http, account):
    http.call("PUT", defaults_of(account), CHOICES)
    given = {"privacyLevel": "PUBLIC_TO_EVERYONE"}
    assert (
        options_of_the_post(http, publish(http, account, tiktokOptions=given))["privacyLevel"] == given["privacyLevel"]
    )


def test_a_default_that_the_creator_can_no_longer_choose_is_told_and_not_replaced(http, ports, account):
    http.call("PUT", defaults_of(account), CHOICES)
    ports.tiktok.creator_answer = a_creator(privacy_level_options=("PUBLIC_TO_EVERYONE",))
    answer = publish(http, account)
    assert_failed(answer, 400, "InvalidRequest")
    assert "SELF_ONLY" in answer.json["error"]
    assert "PUBLIC_TO_EVERYONE" in answer.json["message"]
    assert ports.posts.find(PostQuery(workspace_id="workspace-1")).posts == ()


def test_defaults_chosen_while_another_worker_writes_the_account_are_kept(http, ports, account):
    ports.accounts.faults.before("save", Busy("Another worker was faster.", "Try again."))
    assert http.call("PUT", defaults_of(account), CHOICES).status == 200
    assert http.get(defaults_of(account)).json["defaults"] == CHOICES


def test_another_workspaces_account_and_none_look_the_same(http, ports):
    other = ports.connect(workspace_id="workspace-2")
    for account_id in (other.account_id, "00000000-0000-4000-8000-000000000000", "x"):
        for method, path in (("GET", "defaults"), ("PUT", "defaults"), ("GET", "creator-info")):
            assert_failed(http.call(method, f"/v2/accounts/{account_id}/{path}", {}), 404, "NotFound")
    assert ports.accounts.get(other.account_id) == other


def test_the_creators_live_options_are_shown(http, ports, account):
    ports.tiktok.creator_answer = a_creator(duet_disabled=True, max_video_post_duration_sec=180)
    creator = ports.tiktok.creator_answer
    answer = http.get(f"/v2/accounts/{account.account_id}/creator-info")
    assert (answer.status, answer.json) == (
        200,
        {
            "accountId": account.account_id,
            "creatorUsername": creator.username,
            "creatorNickname": creator.nickname,
            "creatorAvatarUrl": creator.avatar_url,
            "privacyLevelOptions": list(creator.privacy_level_options),
            "commentDisabled": False,
            "duetDisabled": True,
            "stitchDisabled": creator.stitch_disabled,
            "maxVideoPostDurationSec": 180,
        },
    )


def test_a_creator_who_cannot_post_now_is_told_so(http, ports, account):
    ports.tiktok.creator_answer = AccountDisabled("TikTok has banned the creator.", "He appeals in the app.")
    answer = http.get(f"/v2/accounts/{account.account_id}/creator-info")
    assert_failed(answer, 400, "AccountDisabled")
    assert answer.json["error"] == "TikTok has banned the creator."
