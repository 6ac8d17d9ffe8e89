"""Where awslambdaric has no native client, a function runs on the plain one of the local stack."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

from local.processes import ROOT

FUNCTION = """
def handler(event, context):
    if event == "boom":
        raise KeyError(event)
    assert context.get_remaining_time_in_millis() > 1000
    return {"seen": event, "request": context.aws_request_id, "arn": context.invoked_function_arn}
"""


class RuntimeApi(ThreadingHTTPServer):
    """Hands out events, and keeps what comes back by request id and kind."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.events: Queue[tuple[str, Any]] = Queue()
        self.answers: Queue[tuple[str, Any]] = Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        request_id, event = self.server.events.get()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", "99999999999999")
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:function")
        self.end_headers()
        self.wfile.write(json.dumps(event).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.put((self.path, json.loads(body)))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def function(folder: Path) -> Iterator[RuntimeApi]:
    (folder / "app.py").write_text(FUNCTION)
    with RuntimeApi() as api:
        environment = os.environ | {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "LAMBDA_TASK_ROOT": str(folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "local" / "runtime"), str(folder)]),
        }
        with subprocess.Popen([sys.executable, "-m", "awslambdaric", "app.handler"], env=environment) as process:
            yield api
            process.kill()
        api.shutdown()


def test_events_and_answers_pass_and_errors_keep_their_class(tmp_path: Path) -> None:
    with function(tmp_path) as api:
        for request_id, event in (("one", {"é": 1}), ("two", "boom"), ("three", [])):
            api.events.put((request_id, event))
        answers = dict(api.answers.get(timeout=20) for _ in range(3))
    invocation = "/2018-06-01/runtime/invocation"
    assert answers[f"{invocation}/one/response"] == {"seen": {"é": 1}, "request": "one", "arn": "arn:function"}
    assert answers[f"{invocation}/two/error"]["errorType"] == "KeyError"
    assert answers[f"{invocation}/three/response"]["seen"] == []
