"""Connect an account, publish each kind of post, wait for what becomes of it, and read the figures.

Needs the package `requests`; in the environment PUBLISHER_URL and PUBLISHER_KEY, the address of a video as VIDEO_URL
and those of photos, separated by spaces, as PHOTO_URLS.
"""

import os
import sys
import time
import uuid

import requests

URL = os.environ["PUBLISHER_URL"]
VIDEO = [os.environ["VIDEO_URL"]]
PHOTOS = os.environ["PHOTO_URLS"].split()
PUBLIC = {"privacyLevel": "PUBLIC_TO_EVERYONE", "allowComment": True}
OVER = {"PUBLISH_COMPLETE", "SEND_TO_USER_INBOX", "FAILED", "CANCELLED", "REVIEW"}

POSTS = {
    "Photo carousel": ("A morning in pictures #photography", PHOTOS, {}),
    "Photo draft": ("A caption to edit in the app", PHOTOS[:1], {"draft": True}),
    "Public video": ("Have a look #tiktok", VIDEO, {**PUBLIC, "allowDuet": True, "allowStitch": True}),
    "Video for friends": ("For friends", VIDEO, {"privacyLevel": "MUTUAL_FOLLOW_FRIENDS", "allowComment": True}),
    "Branded content": ("Made with a partner #ad", VIDEO, {**PUBLIC, "brandContentToggle": True}),
    "Your brand": ("Our new course", VIDEO, {**PUBLIC, "brandOrganicToggle": True}),
}

session = requests.Session()
session.headers["boring-api-key"] = os.environ["PUBLISHER_KEY"]


class ApiError(Exception):
    """What the service refused, in its own words, with the id to ask about it."""

    def __init__(self, answer):
        self.status, self.told = answer.status_code, answer.json()
        super().__init__(f"{self.told['error']} {self.told['message']} (request {self.told['requestId']})")


def call(method, path, **arguments):
    """Call the API and return its answer; what is safe to repeat is repeated when the service asks for it."""
    for attempt in range(1, 6):
        answer = session.request(method, URL + path, timeout=40, **arguments)
        safe = method == "GET" or "Idempotency-Key" in arguments.get("headers", {})
        if answer.ok:
            return answer.json()
        if not (safe and answer.status_code in (409, 503) and attempt < 5):
            raise ApiError(answer)
        time.sleep(int(answer.headers.get("Retry-After", attempt)))
    return None


def connect():
    """Return an account that can post; the person who owns it opens the link once."""
    link = call("GET", "/oauth/tiktok/start", headers={"Accept": "application/json"})
    print("Open this link to connect an account:", link["connectUrl"], flush=True)
    while True:
        for account in call("GET", "/api/accounts")["accounts"]:
            if account["is_valid"]:
                return account
        time.sleep(1)


def publish(account_id, text, media_urls, options):
    """Publish, and return the post when nothing more happens to it. The key makes a repeated call safe."""
    content = {"text": text, "mediaUrls": media_urls, "platform": "tiktok"}
    body = {"post": {"accountId": account_id, "content": content}}
    if options:
        body["post"]["tiktokOptions"] = options
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Prefer": "respond-async"}
    post = call("POST", "/v2/posts", json=body, headers=headers)
    while post["status"] not in OVER:
        time.sleep(1)
        post = call("GET", post["statusUrl"])
    return post


def main():
    """Return how many posts failed."""
    account = connect()
    print("Connected:", account["tiktok_display_name"])
    failed = 0
    for name, (text, media_urls, options) in POSTS.items():
        post = publish(account["account_id"], text, media_urls, options)
        print(f"{name}: {post['status']} {post['publicUrl'] or ''}".rstrip(), flush=True)
        if not post["success"]:
            print("  ", post["error"], post["message"])
            failed += 1
    try:
        publish(
            account["account_id"],
            "Private, and a paid partnership",
            VIDEO,
            {"privacyLevel": "SELF_ONLY", "brandContentToggle": True},
        )
    except ApiError as error:
        print("As expected, refused:", error)
    figures = call(
        "GET", "/api/performance/metrics", params={"account_id": account["account_id"], "platform": "tiktok"}
    )
    print("Followers:", figures["metrics"]["follower_count"], "Videos:", len(figures["videos"]))
    return failed


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ApiError as error:
        sys.exit(f"The service refused: {error}")
