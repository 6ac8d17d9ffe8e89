"""Connecting an account through the consent page."""

import requests

from tests.e2e.client import Client, a_video, decide


def test_a_connected_account_is_listed_without_its_tokens(client: Client, creator):
    account = client.connect(creator)
    listed = [
        one for one in client.get("/api/accounts").json()["accounts"] if one["account_id"] == account["account_id"]
    ]
    assert listed == [account]
    assert (account["tiktok_username"], account["state"], account["is_valid"]) == (creator, "active", True)
    assert (account["state_reason"], account["state_since"]) == (None, None)
    assert "act." not in str(account)


def test_connecting_again_keeps_the_account_id(client: Client, creator):
    assert client.connect(creator)["account_id"] == client.connect(creator)["account_id"]


def test_a_disconnected_account_is_gone_here_and_at_tiktok(client: Client, creator, film):
    account = client.connect(creator)
    path = f"/api/accounts/{account['account_id']}"
    answers = [requests.delete(client.api + path, headers=client.headers, timeout=40) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json() for answer in answers] == [
        {
            "success": True,
            "account_id": account["account_id"],
            "state": "disconnected",
            "message": "The account is disconnected, and its tokens are erased.",
        }
    ] * 2
    assert account["account_id"] not in client.get("/api/accounts").text
    refused = client.publish(a_video(account, film.url))
    assert (refused.status_code, refused.json()["code"]) == (400, "AccountDisabled")
    creators_own = requests.post(
        f"{client.tiktok}/_sandbox/actions", json={"action": "revoke", "username": creator}, timeout=40
    )
    assert (creators_own.status_code, "has not authorized" in creators_own.text) == (409, True)
    assert client.connect(creator)["account_id"] == account["account_id"]


def test_a_creator_who_declines_connects_nothing_and_is_told_so(client: Client, creator):
    browser = requests.Session()
    answer = decide(browser, client.start(browser), creator, decision="deny")
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert "did not allow" in answer.json()["error"]


def test_a_browser_gets_a_page(client: Client, creator):
    browser = requests.Session()
    answer = decide(browser, client.start(browser), creator, accept="text/html")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Account connected" in answer.text


def test_a_partial_grant_connects_and_says_what_is_missing(client: Client, creator, film):
    browser = requests.Session()
    scopes = ("user.info.basic", "video.upload")
    answer = decide(browser, client.start(browser), creator, scopes=scopes).json()
    assert "video.publish" in answer["missingScopes"]
    body = {
        "post": {
            "accountId": answer["account"]["account_id"],
            "content": {"mediaUrls": film.url, "platform": "tiktok"},
            "tiktokOptions": {"privacyLevel": "SELF_ONLY"},
        }
    }
    refused = client.publish(body)
    assert (refused.status_code, refused.json()["code"]) == (401, "InvalidToken")
    body["post"]["tiktokOptions"] = {"draft": True}
    assert client.publish(body).json()["status"] == "SEND_TO_USER_INBOX"


def test_a_callback_works_once_and_only_in_its_browser(client: Client, creator):
    browser = requests.Session()
    connected = decide(browser, client.start(browser), creator)
    assert requests.get(connected.url, timeout=40).status_code == 400
    assert browser.get(connected.url, timeout=40).status_code == 400
    other = requests.Session()
    answer = decide(other, client.start(requests.Session()), creator)
    assert answer.status_code == 400
    assert "another browser" in answer.json()["error"]


def test_a_connect_link_works_once_in_any_browser(client: Client, creator):
    answer = requests.get(
        client.api + "/oauth/tiktok/start", headers=client.headers | {"Accept": "application/json"}, timeout=40
    )
    url = answer.json()["connectUrl"]
    browser = requests.Session()
    assert decide(browser, browser.get(url, timeout=40), creator).status_code == 200
    assert requests.get(url, timeout=40).status_code == 400
