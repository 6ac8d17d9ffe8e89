"""How long it takes to send stored media to TikTok: ours beside `curl GET | curl PUT` of the same bytes."""

import os
import subprocess
import time
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from typing import Any

from pydantic import SecretStr

from publisher.aws.clients import client
from publisher.aws.media_store import S3MediaStore
from publisher.messages import StepInput
from publisher.tiktok.client import TikTokClient
from publisher.tiktok.transport import Transport
from publisher.use_cases.initialize_post import upload_context
from publisher.use_cases.upload_chunks import upload_chunks
from tests.bench.report import Row
from tests.bench.stub_hosts import stub_hosts
from tests.builders import a_post, an_upload, stored_video
from tests.fakes import FakePorts

MB = 10**6
FUNCTION_SECONDS = 900.0


@dataclass(frozen=True)
class Upload:
    """Medians in seconds, and the median of the ratios of the rounds, which a busy machine moves least.

    Ours counts a warm worker, the baseline both of its processes from their start.
    """

    ours: float
    baseline: float
    ratio: float


def upload(size: int = 512 * MB, rounds: int = 7) -> Upload:
    """Send media of `size` bytes in both ways, in turn."""
    with stub_hosts(size) as (media, tiktok), get_context("spawn").Pool(1) as worker:
        worker.apply(_ours, (size, media, tiktok))  # what a warm worker has done before
        took = [(worker.apply(_ours, (size, media, tiktok)), _baseline(size, media, tiktok)) for _ in range(rounds)]
    ours, baseline = zip(*took, strict=True)
    return Upload(median(ours), median(baseline), median(ours / baseline for ours, baseline in took))


def _ours(size: int, media: str, tiktok: str) -> float:
    """Run the step UploadChunks, with real adapters for the media and TikTok and a ledger in memory."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": media,
    }
    ports = FakePorts()
    post = a_post(media=stored_video(size, key="staging/film", etag='"film"'))
    sealed_url = ports.vault.sealer(upload_context(post))(SecretStr(f"{tiktok}/upload"))
    post = post.model_copy(update={"upload": an_upload(size, sealed_url=sealed_url)})
    ports.posts.accept(post, None)
    request = StepInput(post_id=post.post_id, account_id=post.account_id, execution="bench")
    began = time.perf_counter()
    real: dict[str, Any] = {
        "media": S3MediaStore(client("s3"), "bucket"),
        "tiktok": TikTokClient(tiktok, tiktok, ports.app_secret.app, Transport()),
    }
    vars(ports).update(real)
    answer = upload_chunks(request, ports, lambda: FUNCTION_SECONDS)
    took = time.perf_counter() - began
    sent = ports.posts.get(post.post_id)
    if answer.next != "WaitForTikTok" or sent is None or not sent.all_sent:
        raise AssertionError(f"not all was sent: {answer}")
    return took


def _baseline(size: int, media: str, tiktok: str) -> float:
    get = f"curl -sSf {media}/bucket/staging/film"
    put = f"curl -sSf -H Expect: -H Transfer-Encoding: -H 'Content-Length: {size}' -T - {tiktok}/upload"
    began = time.perf_counter()
    subprocess.run(["bash", "-c", f"set -o pipefail; {get} | {put}"], check=True)
    return time.perf_counter() - began


def run() -> list[Row]:
    """Return the time of an upload beside the shortest thing that does it."""
    took = upload()
    return [Row("upload of 512 MB, beside curl GET | curl PUT", took.ours, took.baseline, "s")]
