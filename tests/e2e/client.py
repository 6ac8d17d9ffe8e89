"""What a user of the API does, over HTTP only."""

import html
import re
import time
import uuid
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

ENDED = {"PUBLISH_COMPLETE", "SEND_TO_USER_INBOX", "FAILED", "REVIEW", "CANCELLED"}


class Outcome(NamedTuple):
    """What a user saw of a post: the answer to POST, and the post when it had ended."""

    answer: requests.Response
    post: dict[str, Any]


class Client:
    """A user with a key of one workspace, and the sandbox that he may look into."""

    def __init__(self, api: str, key: str, tiktok: str) -> None:
        self.api, self.tiktok = api, tiktok
        self.headers = {"boring-api-key": key}

    def get(self, path: str, **arguments: Any) -> requests.Response:
        return requests.get(self.api + path, headers=self.headers, timeout=40, **arguments)

    def new_creator(self) -> str:
        """Make a creator of the sandbox whom nobody else uses: TikTok's limits count by creator."""
        username = f"emu_{uuid.uuid4().hex[:12]}"
        self.sandbox("POST", "users", {"username": username, "nickname": "Emu Tester"})
        return username

    def new_account(self) -> dict[str, Any]:
        """Connect a creator whom nobody else uses."""
        return self.connect(self.new_creator())

    def start(self, browser: requests.Session) -> requests.Response:
        """Go to the consent page."""
        return browser.get(self.api + "/oauth/tiktok/start", headers=self.headers, timeout=40)

    def connect(self, username: str = "emu_creator", **choice: Any) -> dict[str, Any]:
        """Connect a sandbox creator as a browser does, and return the account."""
        browser = requests.Session()
        answer = decide(browser, self.start(browser), username, **choice)
        assert answer.status_code == 200, answer.text
        account: dict[str, Any] = answer.json()["account"]
        return account

    def publish(self, body: dict[str, Any], **headers: str) -> requests.Response:
        return requests.post(self.api + "/v2/posts", json=body, headers=self.headers | headers, timeout=40)

    def change(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Edit, cancel or retry a post."""
        return requests.request(method, f"{self.api}/v2/posts/{path}", json=body, headers=self.headers, timeout=40)

    def bulk(self, body: dict[str, Any], **headers: str) -> requests.Response:
        return requests.post(f"{self.api}/v2/posts/bulk", json=body, headers=self.headers | headers, timeout=40)

    def set_defaults(self, account: dict[str, Any], options: dict[str, Any]) -> None:
        """Choose the options of posts that give none."""
        path = f"/v2/accounts/{account['account_id']}/defaults"
        answer = requests.put(self.api + path, json=options, headers=self.headers, timeout=40)
        assert answer.status_code == 200, answer.text

    def publish_and_wait(self, body: dict[str, Any]) -> "Outcome":
        """Publish, and look at the post when it has ended."""
        answer = self.publish(body)
        assert "postSubmissionId" in answer.json(), answer.text
        return Outcome(answer, self.wait(answer.json()["postSubmissionId"]))

    def wait(self, post_id: str, *, seconds: float = 60) -> dict[str, Any]:
        """Return the post when it has ended."""
        until = time.monotonic() + seconds
        while True:
            post: dict[str, Any] = self.get(f"/v2/posts/{post_id}").json()
            if post["status"] in ENDED:
                return post
            assert time.monotonic() < until, f"the post has not ended: {post}"
            time.sleep(0.3)

    def wait_for_address(self, post_id: str) -> dict[str, Any]:
        """Return a public post when its address is known; the sweep, which runs each minute, may have to find it."""
        until = time.monotonic() + 150
        while True:
            post = self.wait(post_id)
            if post["publicUrl"]:
                return post
            assert time.monotonic() < until, f"the post has no address: {post}"
            time.sleep(0.3)

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        """Use the sandbox's own administration."""
        answer = requests.request(method, f"{self.tiktok}/_sandbox/{path}", json=body, timeout=40)
        assert answer.ok, answer.text
        return answer.json()

    def upload_of(self, publish_id: str) -> dict[str, Any]:
        """Return what TikTok got of a post: the ground truth."""
        log = self.sandbox("GET", "log")
        return next(publish for publish in log["publishes"] if publish["publish_id"] == publish_id)

    def opened_for(self, account: dict[str, Any]) -> list[dict[str, Any]]:
        """Return all that was opened at TikTok for an account, whatever became of it."""
        return self._logged("publishes", account)

    def posts_of(self, account: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the posts there are on TikTok of an account."""
        return self._logged("posts", account)

    def _logged(self, kind: str, account: dict[str, Any]) -> list[dict[str, Any]]:
        log = self.sandbox("GET", "log")
        return [one for one in log[kind] if one["username"] == account["tiktok_username"]]


def decide(
    browser: requests.Session,
    consent_page: requests.Response,
    username: str = "emu_creator",
    *,
    decision: str = "allow",
    scopes: tuple[str, ...] | None = None,
    accept: str = "application/json",
) -> requests.Response:
    """Fill in TikTok's consent form and go back to where it leads."""
    page = consent_page.text
    assert consent_page.status_code == 200, page
    action = html.unescape(_first(r'<form[^>]*action="([^"]+)"', page))
    field = _first(r'type="checkbox" name="([^"]+)"', page)
    offered = re.findall(rf'name="{field}" value="([^"]+)"', page)
    button = _first(rf'<button[^>]*name="([^"]+)"[^>]*value="{decision}"', page)
    chosen = [(field, scope) for scope in offered if scopes is None or scope in scopes]
    form = [("username", username), (button, decision), *chosen]
    url = urljoin(consent_page.url, action)
    return browser.post(url, data=form, headers={"Accept": accept}, timeout=40)


def _first(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    assert found, page
    return found[1]


def query_of(url: str) -> dict[str, str]:
    """Return a URL's parameters."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def a_video(account: dict[str, Any], url: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a post that publishes a video."""
    options = {"privacyLevel": "PUBLIC_TO_EVERYONE", **changes.pop("options", {})}
    content = {"text": "A rabbit #film #rabbit #spring", "mediaUrls": [url], "platform": "tiktok", **changes}
    return {"post": {"accountId": account["account_id"], "content": content, "tiktokOptions": options}}


def photos(
    account: dict[str, Any], urls: list[str], text: str = "Pictures #film #rabbit #spring", **options: Any
) -> Any:
    """Return the body of a post that publishes photos."""
    content = {"text": text, "mediaUrls": urls, "platform": "tiktok"}
    return {"post": {"accountId": account["account_id"], "content": content, "tiktokOptions": options}}
