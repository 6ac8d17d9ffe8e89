"""python -m local.demo: publish a film on a stack of its own, show how it goes, and keep serving until Ctrl-C."""

import argparse
import json
import sys
import time

from local.demo.film import CREDIT, FILM
from local.demo.media import serving
from local.demo.progress import Progress
from local.demo.publishing import connect, publish
from local.options import Options, add_arguments
from local.processes import LocalError, ended_by_signals
from local.stack import Stack, running_stack

PUBLISHED = "PUBLISH_COMPLETE"


def main() -> int:
    """Return 0 when the film was published, 1 when not, 2 with one sentence when the demo could not go on."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--exit", action="store_true", help="end after the result")
    arguments = parser.parse_args()
    if not FILM.exists():
        print("The film is missing: run `make setup`.", file=sys.stderr)
        return 2
    status = ""
    try:
        with ended_by_signals(), serving(FILM) as media:
            options = Options(arguments.port, trusted_media_origins=(media,), state=arguments.state)
            say("Starting the stack and the TikTok sandbox …")
            began = time.monotonic()
            with running_stack(options) as stack:
                say(f"Ready after {time.monotonic() - began:.1f} s.")
                status = show(stack, f"{media}/{FILM.name}")
                if not arguments.exit:
                    say("\nServing until Ctrl-C.")
                    stack.wait()
    except LocalError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if status == PUBLISHED else 1


def show(stack: Stack, film: str) -> str:
    """Connect a creator, publish the film, print everything worth seeing; return the post's last status."""
    say("Connecting a sandbox creator …")
    account = connect(stack)
    say(f"Connected @{account['tiktok_username']} as account {account['account_id']}.")
    say(f"Publishing {CREDIT} …")
    with Progress(sys.stdout) as progress:
        post = publish(stack, account["account_id"], film, progress.show)
    say(json.dumps(post, indent=2, ensure_ascii=False))
    say(f"\nAPI        {stack.api}   (boring-api-key: {stack.api_key})")
    say(f"Dashboard  {stack.api}/")
    say(f"This post  {stack.api}{post['statusUrl']}")
    say(f"TikTok     {stack.tiktok}   what it received: {stack.tiktok}/_sandbox/log")
    say(f"Logs       {stack.logs}")
    return str(post["status"])


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
