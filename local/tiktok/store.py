"""The world under one lock, its clock-driven changes, its file, the call log, and the received media."""

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Event, Lock, RLock
from typing import Any, Literal

from local.tiktok import lifecycle, rules
from local.tiktok.state import World, new_world


class Store:
    """Everything that outlives a request; `folder` holds it, `keep` says whether it outlives the process too."""

    def __init__(self, folder: Path, profile: Literal["24h", "2h"] | None, *, keep: bool) -> None:
        self._lock = RLock()
        self._moved = Condition(self._lock)  # the clock, or anything else of the world
        self.closed = Event()
        self._world_file = folder / "world.json"
        self._calls_file = folder / "calls.jsonl"
        self._keep = keep
        self._written = ""
        self._media = folder / "media"
        self._media.mkdir(parents=True, exist_ok=True)
        self._upload_locks: defaultdict[str, Lock] = defaultdict(Lock)
        self._minutes: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._calls: list[dict[str, Any]] = []
        self._world = new_world(profile or "24h")
        if keep and self._world_file.exists():
            self._world = World.model_validate_json(self._world_file.read_bytes())
            if profile:
                self._world.settings.token_profile = profile
        self._profile = self._world.settings.token_profile
        if keep and self._calls_file.exists():
            self._calls = [json.loads(line) for line in self._calls_file.read_text().splitlines()]

    @contextmanager
    def change(self) -> Iterator[World]:
        """Lend the world as it is at this moment, for one atomic change; it is written to its file afterwards."""
        with self._lock:
            lifecycle.settle_due(self._world)
            try:
                yield self._world
            finally:
                self._moved.notify_all()
                if self._keep:
                    self._write()

    def wait_until(self, moment: float, world: World) -> bool:
        """Wait until the clock of `world` shows `moment` (Unix seconds); False if its reset or the end comes first."""
        with self._lock:
            while self._world is world and not self.closed.is_set():
                left = moment - world.clock.now()
                if left <= 0:
                    return True
                self._moved.wait(left if world.clock.frozen_at is None else None)
            return False

    def wait_for(self, next_moment: Callable[[World], float]) -> bool:
        """Wait until the clock shows the moment that is next in the world as it changes; False at the end."""
        with self._lock:
            while not self.closed.is_set():
                clock = self._world.clock
                left = next_moment(self._world) - clock.now()
                if left <= 0:
                    return True
                self._moved.wait(None if clock.frozen_at is not None or left == float("inf") else left)
            return False

    def _write(self) -> None:
        text = self._world.model_dump_json()
        if text != self._written:
            draft = self._world_file.with_suffix(".draft")
            draft.write_text(text)
            draft.replace(self._world_file)
            self._written = text

    def close(self) -> None:
        """Write nothing any more: the folder may be another store's from now on."""
        with self._lock:
            self._keep = False
            self.closed.set()
            self._moved.notify_all()

    def reset(self) -> None:
        """Start over with a new world; ids go on, so that none comes twice."""
        with self._lock:
            self._world = new_world(self._profile, self._world.last_id)
            self._moved.notify_all()
            self._minutes.clear()
            self._calls.clear()
            self._calls_file.unlink(missing_ok=True)
            for file in self._media.iterdir():
                file.unlink(missing_ok=True)
            if self._keep:
                self._write()

    def count_call(self, endpoint: str, token: str, now: float) -> bool:
        """Count a call in the sliding minute of an endpoint and token; False, uncounted, if the minute is full."""
        limit = rules.CALLS_PER_MINUTE.get(endpoint)
        if limit is None:
            return True
        minute = self._minutes[endpoint, token]
        while minute and not now - rules.WINDOW_SECONDS < minute[0] <= now:
            minute.popleft()
        if len(minute) >= limit:
            return False
        minute.append(now)
        return True

    def log_call(self, record: dict[str, Any]) -> None:
        """Append one call to the log."""
        with self._lock:
            record["number"] = len(self._calls) + 1
            self._calls.append(record)
            if self._keep:
                with self._calls_file.open("a") as file:
                    file.write(json.dumps(record) + "\n")

    def calls(self) -> list[dict[str, Any]]:
        """Every call since the start or the last reset."""
        with self._lock:
            return list(self._calls)

    def media_path(self, upload_id: str) -> Path:
        """Where the bytes of an upload or download are kept."""
        return self._media / upload_id

    def upload_lock(self, upload_id: str) -> Lock:
        """Chunks of one upload are taken one at a time."""
        with self._lock:
            return self._upload_locks[upload_id]
