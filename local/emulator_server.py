"""Serve MiniStack on 127.0.0.1, on the port of the command line or, when it is used, any free one.

Run by the Python of MiniStack's own environment.

MiniStack itself saves its state at an orderly end only, and until it has ended it goes on running functions, whose
effects it then forgets: a post could be published and the ledger not know. So at SIGTERM this freezes the functions
first, saves, and ends everything at once. It reaches into MiniStack for that, whose version is pinned.

It saves only when SIGUSR1 has said that the stack is whole: half a stack could not be brought up to date later.

Prints one line of JSON when it listens: {"url": "http://127.0.0.1:…"}.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partialmethod
from socketserver import StreamRequestHandler
from typing import Any

_COPY_ATTEMPTS = 100
_SCHEDULE_SECONDS = 1
"""Between two looks for schedules that are due; MiniStack's own ten are long for whoever watches."""


def main() -> None:
    """Listen, say where, serve until SIGTERM."""
    try:
        listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512)
    except (OSError, OverflowError):
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    os.environ |= {"GATEWAY_PORT": str(port), "AWS_ENDPOINT_URL": url}
    print(json.dumps({"url": url}), flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asyncio.run(_serve(listener))


async def _serve(listener: socket.socket) -> None:
    # MiniStack reads its settings when it is imported.
    from hypercorn.asyncio import serve  # type: ignore[import-not-found]  # noqa: PLC0415
    from hypercorn.config import Config  # type: ignore[import-not-found]  # noqa: PLC0415
    from ministack import app  # type: ignore[import-not-found]  # noqa: PLC0415
    from ministack.core.lambda_runtime import ProvidedWorker  # type: ignore[import-not-found]  # noqa: PLC0415
    from ministack.services import scheduler  # type: ignore[import-not-found]  # noqa: PLC0415

    scheduler._SCHEDULE_TICK_INTERVAL = _SCHEDULE_SECONDS  # noqa: SLF001
    # A function gets its event in two writes, of which the second must not wait 40 ms for the first's acknowledgement.
    StreamRequestHandler.disable_nagle_algorithm = True
    # Our functions write their logs to files: waiting 50 ms after each call for a line would be in vain.
    drain = partialmethod(ProvidedWorker._drain_stderr_bounded, first_line_wait=0.0)  # noqa: SLF001
    ProvidedWorker._drain_stderr_bounded = drain  # noqa: SLF001
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, os.killpg, 0, signal.SIGKILL)
    loop.add_signal_handler(signal.SIGUSR1, loop.add_signal_handler, signal.SIGTERM, _save_and_end)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    await serve(app.app, config, shutdown_trigger=loop.create_future)


def _save_and_end() -> None:
    from ministack import app  # noqa: PLC0415
    from ministack.core import lambda_runtime, persistence  # type: ignore[import-not-found]  # noqa: PLC0415

    with lambda_runtime._lock:  # noqa: SLF001 - held: no function starts from here on
        for workers in lambda_runtime._workers.values():  # noqa: SLF001
            for worker in workers:
                if worker._proc is not None:  # noqa: SLF001
                    worker._proc.send_signal(signal.SIGSTOP)  # noqa: SLF001
        for service, get_state in app._build_persistence_save_dict().items():  # noqa: SLF001
            state = _copy(get_state)
            if state is not None:
                persistence.save_state(service, state)
        os.killpg(0, signal.SIGKILL)


def _copy(get_state: Callable[[], Any]) -> Any:
    """Copy a service's state; a thread of MiniStack may change it meanwhile, then it is copied again."""
    for _ in range(_COPY_ATTEMPTS):
        try:
            return get_state()
        except RuntimeError:
            time.sleep(0.01)
    return get_state()


if __name__ == "__main__":
    main()
