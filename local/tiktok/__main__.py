"""python -m local.tiktok: the sandbox as a program."""

import argparse
import errno
import json
import signal
import sys
from pathlib import Path
from threading import Event

from local.tiktok.server import Sandbox


def main() -> int:
    """Serve until SIGTERM or SIGINT; 0 then, 2 when the server cannot start."""
    parser = argparse.ArgumentParser(prog="python -m local.tiktok", description="A TikTok sandbox; see README.md.")
    parser.add_argument("--port", type=int, default=4010, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep everything there over restarts")
    parser.add_argument("--profile", choices=["24h", "2h"], help="lifetime of access tokens")
    options = parser.parse_args()
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        sandbox = Sandbox(options.port, options.host, options.state, options.profile)
    except OSError as error:
        print(_explain(error, options.host, options.port), file=sys.stderr)
        return 2
    except ValueError:
        print(f"The state in {options.state} cannot be read; remove it or choose another --state.", file=sys.stderr)
        return 2
    with sandbox:
        print(json.dumps({"ready": True, "url": sandbox.url}, separators=(",", ":")), flush=True)
        ended.wait()
    return 0


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is already in use; choose another one with --port."
    return f"The sandbox cannot start: {error}."


if __name__ == "__main__":
    sys.exit(main())
