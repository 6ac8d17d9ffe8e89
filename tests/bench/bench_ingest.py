"""What it costs to copy a customer's media to S3: ours beside boto3's upload_fileobj, and peak memory by size."""

import os
import statistics
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import boto3
import requests

from publisher.aws.clients import client
from publisher.aws.media_store import S3MediaStore
from publisher.fetching import Fetcher
from tests.bench.report import Row
from tests.bench.stub_s3 import stub_s3

MB = 10**6
GB = 10**9
MEMORY_SIZES = (64 * MB, GB)
MOST_GROWTH = 30
"""In MB, from the small size to the large one."""


@dataclass(frozen=True)
class Run:
    """One copy: processor seconds and seconds, and the process's peak memory in bytes."""

    cpu: float
    wall: float
    peak: int


@dataclass(frozen=True)
class Ingest:
    """Medians in processor seconds per GB and bytes a second, and the ratio of the medians of processor time."""

    ours: float
    baseline: float
    ours_rate: float
    baseline_rate: float

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline


def ingest(size: int = 512 * MB, rounds: int = 5) -> Ingest:
    """Copy media of `size` bytes in both ways, in turn."""
    runs: dict[str, list[Run]] = {"ours": [], "baseline": []}
    with stub_s3() as root:
        for _ in range(rounds):
            for way, done in runs.items():
                done.append(_run(way, size, root))
    cpu = {way: statistics.median(run.cpu for run in done) / size * GB for way, done in runs.items()}
    rate = {way: size / statistics.median(run.wall for run in done) for way, done in runs.items()}
    return Ingest(cpu["ours"], cpu["baseline"], rate["ours"], rate["baseline"])


def memory(way: str = "ours") -> dict[int, int]:
    """Return the peak memory of a process that copies once, in bytes, by the size of the media."""
    with stub_s3() as root:
        return {size: _run(way, size, root).peak for size in MEMORY_SIZES}


def _run(way: str, size: int, root: str) -> Run:
    """Copy once in a process of its own, as a worker does."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_copy, (way, size, root))


def _copy(way: str, size: int, root: str) -> Run:
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": root,
    }
    copy = {"ours": _ours, "baseline": _baseline}[way]
    copy(MB, root)  # what a warm worker has done before
    cpu, wall = time.process_time(), time.perf_counter()
    copy(size, root)
    return Run(time.process_time() - cpu, time.perf_counter() - wall, _peak())


def _ours(size: int, root: str) -> None:
    with Fetcher([root]).open(f"{root}/media/{size}", max_bytes=4 * 2**30) as source:
        S3MediaStore(client("s3"), "bucket").store("staging/film", source, "video/mp4", lambda _: None)


def _baseline(size: int, root: str) -> None:
    with requests.get(f"{root}/media/{size}", stream=True, timeout=60) as answer:
        boto3.client("s3").upload_fileobj(answer.raw, "bucket", "staging/film")


def _peak() -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def run() -> list[Row]:
    """Return the processor time and the rate of an ingest, and how its peak memory grows, beside upload_fileobj."""
    cost = ingest()
    slower, least = "no slower", cost.baseline_rate / MB
    rows = [
        Row("ingest", cost.ours, cost.baseline, "CPU s/GB", slower, cost.ours <= cost.baseline),
        Row("ingest", cost.ours_rate / MB, least, "MB/s", slower, cost.ours_rate / MB >= least),
    ]
    peaks = {way: [peak / MB for peak in memory(way).values()] for way in ("ours", "baseline")}
    for size, ours, baseline in zip(("64 MB", "1 GB"), *peaks.values(), strict=True):
        rows.append(Row(f"ingest, peak memory at {size}", ours, baseline, "MB"))
    growth, usual = (large - small for small, large in peaks.values())
    floor = f"at most {MOST_GROWTH} MB"
    return [*rows, Row("ingest, memory growth", growth, usual, "MB", floor, growth <= MOST_GROWTH)]
