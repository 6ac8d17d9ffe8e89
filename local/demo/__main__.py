"""python -m local.demo: publish a film, a carousel and a draft on a stack of its own, and keep serving until Ctrl-C."""

import argparse
import json
import sys
import time

from local.demo.media import serving
from local.demo.progress import Progress
from local.demo.publishing import CAROUSEL_CAPTION, FILM_CAPTION, connect, finish_draft, publish
from local.demo.samples import ALL, FILM, PHOTOGRAPHS
from local.options import Options, add_arguments
from local.processes import LocalError, ended_by_signals
from local.sign_in import sign_in_link
from local.stack import Stack, running_stack

PUBLISHED, DRAFTED = "PUBLISH_COMPLETE", "SEND_TO_USER_INBOX"
_DOCUMENTED = ("success", "postSubmissionId", "platform", "post_type", "publish_id", "status", "message")
_SHOWN = (*_DOCUMENTED, "error", "code", "publicUrl", "warnings")
"""Of a post's answer, which is longer than a screen."""


def main() -> int:
    """Return 0 when all was published, 1 when not, 2 with one sentence when the demo could not go on."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--exit", action="store_true", help="end after the result")
    arguments = parser.parse_args()
    if not all(sample.path.exists() for sample in ALL):
        print("The film or a photograph is missing: run `make setup`.", file=sys.stderr)
        return 2
    succeeded = False
    try:
        with ended_by_signals(), serving(sample.path for sample in ALL) as media:
            options = Options(arguments.port, trusted_media_origins=(media,), state=arguments.state)
            say("Starting the stack and the TikTok sandbox …")
            began = time.monotonic()
            with running_stack(options) as stack:
                say(f"Ready after {time.monotonic() - began:.1f} s.")
                succeeded = show(stack, media)
                if not arguments.exit:
                    say("\nServing until Ctrl-C. What TikTok tells later, public addresses and the draft's outcome,")
                    say("is in the answers within two minutes. `make signin` makes another link to the dashboard.")
                    stack.wait()
    except LocalError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if succeeded else 1


def show(stack: Stack, media: str) -> bool:
    """Connect a creator, publish, print everything worth seeing; tell whether every post ended as it should."""
    say("Connecting a sandbox creator …")
    account = connect(stack)
    say(f"Connected @{account['tiktok_username']} as account {account['account_id']}.")
    film = [f"{media}/{FILM.path.name}"]
    photographs = [f"{media}/{photograph.path.name}" for photograph in PHOTOGRAPHS]
    outcomes = []
    for what, urls, text, options, expected in (
        (f"Publishing a film: {FILM.credit} …", film, FILM_CAPTION, _PUBLIC, PUBLISHED),
        (_carousel(), photographs, CAROUSEL_CAPTION, {**_PUBLIC, "photoTitle": "Three photographs"}, PUBLISHED),
        ("Sending the photographs as a draft …", photographs, CAROUSEL_CAPTION, {"draft": True}, DRAFTED),
    ):
        say(what)
        with Progress(sys.stdout) as progress:
            content = {"text": text, "mediaUrls": urls}
            post = publish(stack, account["account_id"], content, options, progress.show)
        say(json.dumps({key: post[key] for key in _SHOWN if key in post}, indent=2, ensure_ascii=False))
        say(f"All of it: {stack.api}{post['statusUrl']}\n")
        outcomes.append(post["status"] == expected)
        if post["status"] == DRAFTED:
            finish_draft(stack, post)
            say("The creator opened the notification in TikTok's inbox and published the draft.\n")
    say(f"API        {stack.api}   (boring-api-key: {stack.api_key})")
    say(f"Dashboard  {sign_in_link(stack.api, stack.api_key)}   (works once, for ten minutes)")
    say(f"TikTok     {stack.tiktok}   what it received: {stack.tiktok}/_sandbox/log")
    say(f"Logs       {stack.logs}")
    return all(outcomes)


_PUBLIC = {"privacyLevel": "PUBLIC_TO_EVERYONE", "allowComment": True}


def _carousel() -> str:
    lines = "".join(f"\n  {photograph.path.name}: {photograph.credit}" for photograph in PHOTOGRAPHS)
    return f"Publishing a carousel of photographs …{lines}"


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
