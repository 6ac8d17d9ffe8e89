"""python -m local.simulate: many posts at once, through the real rules of turns and pacing, under a simulated clock.

Whose turn it is, how TikTok's calls are spaced and when a status is asked for again is decided by publisher.domain, as
in production; AWS and TikTok are models, and what they take is assumed below. Nothing waits for real. Every call to
TikTok is noted down, and checked at the end by a rule that shares nothing with the code that spaced them.
"""

import argparse
import gc
import heapq
import math
import random
import sys
import time
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from enum import IntEnum
from typing import Literal, NamedTuple

from publisher.domain.limits import TURN_WAIT_SECONDS
from publisher.domain.posts import poll_wait
from publisher.domain.slots import (
    POSTS,
    PUBLISH,
    TIKTOK_CREATOR_INFO,
    TIKTOK_INIT,
    TIKTOK_POSTS,
    TIKTOK_STATUS,
    Usage,
    Window,
    count,
    seconds_until,
    take,
)

HOUR, DAY = 3600, 86400

# AWS's default quotas
SCHEDULER_RATE = 1000  # invocations a second, in primary regions (EventBridge Scheduler, documented quota)
LAMBDA_CONCURRENCY = 1000  # functions at once, of an account (Lambda, documented quota)
STARTS_RATE = 300  # StartExecution a second, in primary regions (Step Functions, known and not looked up; no bucket)

# Assumed: nothing here was measured in AWS
COLD_SECONDS = 0.6  # the first start of an environment; imports and clients took 0.56 to 0.60 s on 2 cores
SPREAD = 0.5  # sigma of the lognormal spread of a function's seconds
PROCESSING_SECONDS, PROCESSING_SPREAD = 15.0, 0.8  # TikTok's processing: median, and sigma of its lognormal spread;
# TikTok documents less than 30 s for 512 MB, and less than a minute for most moderation
AT_THE_HOUR = 0.5  # share of a day's posts that are due at a full hour; the others are at any minute
RETRY_FIRST, RETRY_LONGEST = 1.0, 300.0  # seconds between the tries of the control, doubled each time, with jitter


class Function(IntEnum):
    """The functions that a post of one video needs."""

    START = 0
    DOWNLOAD = 1
    INIT = 2
    UPLOAD = 3
    CHECK = 4
    RECORD = 5


MEDIAN_SECONDS = (0.1, 0.6, 0.4, 0.5, 0.2, 0.1)
"""Of each function, warm, for a film of 20 MB at 75 MB/s and calls to TikTok of 0.15 s; assumed."""

ENDS = len(Function)  # events are numbered: requests of functions, from here on their ends,
DUE = 2 * ENDS  # and that a post is due
TABLE = 4096  # lognormal draws that are made once and used in turn


class Scenario(NamedTuple):
    """What is simulated: how many posts of how many accounts are due when, and AWS's quotas.

    `shards` parts of the accounts run apart, each with its part of every quota. That is never better than the whole.
    The control is `naive`: it fires, and fires again when refused.
    """

    name: str
    posts: int
    accounts: int
    when: Literal["hour", "day"]
    concurrency: int = LAMBDA_CONCURRENCY
    starts: int = STARTS_RATE
    shards: int = 1
    naive: bool = False


SCENARIOS = (
    Scenario("A: 100,000 accounts at one hour", 100_000, 100_000, "hour"),
    Scenario("B: as A, 1,000 starts a second", 100_000, 100_000, "hour", starts=1000),
    Scenario("C: as B, twice the Lambda", 100_000, 100_000, "hour", concurrency=2000, starts=1000),
    Scenario("D: 1,000,000 in a day", 1_000_000, 100_000, "day", shards=2),
    Scenario("E: 10 each at one hour", 20_000, 2_000, "hour"),
    Scenario("F: as E, fire and retry", 20_000, 2_000, "hour", naive=True),
)


class Outcome(NamedTuple):
    """What came of a scenario: seconds are of each post, calls are to TikTok."""

    posts: int
    late: array[float]
    """From when a post was due until it was opened at TikTok."""
    behind: array[float]
    """The same, from its turn if it was told one."""
    inits: int
    refused: int
    creator_infos: int
    statuses: int
    peak: int
    queued: float
    """Longest wait for a free function."""
    waited: int
    """Posts that waited for their turn."""
    over: int
    """Calls beyond a limit."""


class Simulation:
    """One run of a shard of a scenario. The same seed gives the same outcome."""

    def __init__(self, scenario: Scenario, seed: int, shard: int = 0) -> None:
        self._scenario, self._random = scenario, random.Random(seed)
        self._owner_of, self._due = plan(scenario, self._random)
        self._mine = [post for post, account in enumerate(self._owner_of) if account % scenario.shards == shard]
        self._slow = [self._random.lognormvariate(0, SPREAD) for _ in range(TABLE)]
        self._processing = [
            PROCESSING_SECONDS * self._random.lognormvariate(0, PROCESSING_SPREAD) for _ in range(TABLE)
        ]
        self._usages: dict[int, Usage] = {}
        self._opened: dict[int, list[float]] = defaultdict(list)
        self._inits, self._creator_infos, self._statuses = Calls(), Calls(), Calls()
        self._events: list[tuple[float, int, int, int]] = []
        self._number = 0
        self._queue: deque[tuple[float, int, int]] = deque()
        self._capacity = scenario.concurrency // scenario.shards
        self._busy = self._peak = 0
        self._running, self._warm = [0] * ENDS, [0] * ENDS
        self._between = (scenario.shards / SCHEDULER_RATE, scenario.shards / scenario.starts)
        self._free_at = [0.0, 0.0]
        self._turns: dict[int, float] = {}
        self._polls: dict[int, int] = {}
        self._tries: dict[int, int] = {}
        self._ready: dict[int, float] = {}
        self._late, self._behind = array("d"), array("d")
        self._refused = 0
        self._queued = 0.0

    def run(self) -> Outcome:
        """Let every post go out, and return what came of it."""
        coming = deque(sorted((self._due[post], post) for post in self._mine))
        ends: tuple[Callable[[float, int], None], ...] = (
            self._start,
            lambda now, post: self._request(now, Function.INIT, post),
            self._open_naively if self._scenario.naive else self._open,
            self._upload,
            self._check,
            lambda _now, _post: None,
        )
        while coming or self._events:
            if coming and (not self._events or coming[0][0] <= self._events[0][0]):
                due, post = coming.popleft()
                self._dispatch(due, post)
                continue
            now, _, what, post = heapq.heappop(self._events)
            if what == DUE:
                self._dispatch(now, post)
            elif what < ENDS:
                self._request(now, what, post)
            else:
                self._release(now, what - ENDS)
                ends[what - ENDS](now, post)
        return Outcome(
            posts=len(self._late),
            late=self._late,
            behind=self._behind,
            inits=len(self._inits) + self._refused,
            refused=self._refused,
            creator_infos=len(self._creator_infos),
            statuses=len(self._statuses),
            peak=self._peak,
            queued=self._queued,
            waited=len(self._turns),
            over=self._over(),
        )

    def _over(self) -> int:
        """Count the calls beyond any limit; the control's inits were kept within theirs by TikTok."""
        limited = (
            (self._inits, (TIKTOK_INIT, PUBLISH, TIKTOK_POSTS)),
            (self._creator_infos, (TIKTOK_CREATOR_INFO,)),
            (self._statuses, (TIKTOK_STATUS,)),
        )
        return sum(beyond(calls.by_account().values(), window) for calls, windows in limited for window in windows)

    def _dispatch(self, due: float, post: int) -> None:
        """Have the Scheduler fire what is due, in turn."""
        self._later(self._next(0, due), Function.START, post)

    def _start(self, now: float, post: int) -> None:
        self._later(self._next(1, now), Function.DOWNLOAD, post)

    def _next(self, line: int, now: float) -> float:
        at = max(now, self._free_at[line])
        self._free_at[line] = at + self._between[line]
        return at

    def _open(self, now: float, post: int) -> None:
        """Do as the step InitializePost does: ask for the creator's options, take the slots, open the post."""
        account, owner = self._owner_of[post], str(post)
        usage = self._usages.get(account) or Usage(str(account))
        usage, wait = count(usage, TIKTOK_CREATOR_INFO, owner, now)
        if wait > 0:
            self._later(now + seconds_until(wait, 0), Function.INIT, post)
            return
        self._creator_infos.add(account, now)
        self._usages[account] = usage
        taken, turn = take(usage, POSTS, owner, now)
        if not turn.taken:
            self._usages[account], self._turns[post] = taken, turn.at
            if turn.at - now <= TURN_WAIT_SECONDS:
                self._later(now + seconds_until(turn.at, now), Function.INIT, post)
            else:
                self._later(math.ceil(turn.at), DUE, post)
            return
        counted, wait = count(taken, TIKTOK_INIT, owner, now)
        if wait > 0:
            self._later(now + seconds_until(wait, 0), Function.INIT, post)
            return
        self._usages[account] = counted
        self._opened_at(now, post)

    def _open_naively(self, now: float, post: int) -> None:
        """Ask TikTok, which is taken to know all the limits, and when it refuses ask again later."""
        account = self._owner_of[post]
        self._creator_infos.add(account, now)
        opened = self._opened[account]
        if any(
            sum(1 for at in opened if at + window.seconds > now) >= window.most
            for window in (TIKTOK_INIT, PUBLISH, TIKTOK_POSTS)
        ):
            self._refused += 1
            tries = self._tries[post] = self._tries.get(post, 0) + 1
            longest = min(RETRY_LONGEST, RETRY_FIRST * 2**tries)
            self._later(now + self._random.uniform(longest / 2, longest), Function.INIT, post)
            return
        opened.append(now)
        self._opened_at(now, post)

    def _opened_at(self, now: float, post: int) -> None:
        self._inits.add(self._owner_of[post], now)
        self._late.append(now - self._due[post])
        self._behind.append(now - max(self._due[post], self._turns.get(post, 0.0)))
        self._request(now, Function.UPLOAD, post)

    def _upload(self, now: float, post: int) -> None:
        self._ready[post] = now + self._processing[post % TABLE]
        self._later(now + poll_wait(0), Function.CHECK, post)

    def _check(self, now: float, post: int) -> None:
        """Do as the step CheckStatus does."""
        account = self._owner_of[post]
        if not self._scenario.naive:
            usage, wait = count(self._usages[account], TIKTOK_STATUS, str(post), now)
            if wait > 0:
                self._later(now + seconds_until(wait, 0), Function.CHECK, post)
                return
            self._usages[account] = usage
        self._statuses.add(account, now)
        if now >= self._ready[post]:
            del self._ready[post]
            self._polls.pop(post, None)
            self._request(now, Function.RECORD, post)
            return
        polls = self._polls[post] = self._polls.get(post, 0) + 1
        self._later(now + poll_wait(polls), Function.CHECK, post)

    def _later(self, at: float, what: int, post: int) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, what, post))

    def _request(self, now: float, function: int, post: int) -> None:
        """Run a function when one is free; who asked first gets it."""
        if self._busy < self._capacity:
            self._begin(now, function, post)
        else:
            self._queue.append((now, function, post))

    def _begin(self, now: float, function: int, post: int) -> None:
        self._busy += 1
        self._peak = max(self._peak, self._busy)
        self._running[function] += 1
        seconds = MEDIAN_SECONDS[function] * self._slow[self._number % TABLE]
        if self._running[function] > self._warm[function]:
            self._warm[function] += 1
            seconds += COLD_SECONDS
        self._later(now + seconds, ENDS + function, post)

    def _release(self, now: float, function: int) -> None:
        self._busy -= 1
        self._running[function] -= 1
        if self._queue:
            asked, waiting, post = self._queue.popleft()
            self._queued = max(self._queued, now - asked)
            self._begin(now, waiting, post)


class Calls:
    """When calls were made, of which account."""

    def __init__(self) -> None:
        self._accounts, self._times = array("l"), array("d")

    def __len__(self) -> int:
        return len(self._times)

    def add(self, account: int, at: float) -> None:
        """Note a call down."""
        self._accounts.append(account)
        self._times.append(at)

    def by_account(self) -> dict[int, list[float]]:
        """Return the times of each account's calls."""
        found: dict[int, list[float]] = defaultdict(list)
        for account, at in zip(self._accounts, self._times, strict=True):
            found[account].append(at)
        return found


def plan(scenario: Scenario, randomly: random.Random) -> tuple[Sequence[int], Sequence[float]]:
    """Return the account of each post, and when it is due."""
    posts, accounts = scenario.posts, scenario.accounts
    if scenario.when == "hour":
        return [post % accounts for post in range(posts)], [float(HOUR)] * posts
    hours, minutes = [float(at) for at in range(0, DAY, HOUR)], [float(at) for at in range(0, DAY, 60)]
    due = [randomly.choice(hours if randomly.random() < AT_THE_HOUR else minutes) for _ in range(posts)]
    return [randomly.randrange(accounts) for _ in range(posts)], due


def beyond(accounts: Iterable[list[float]], window: Window) -> int:
    """Count the calls that came while `most` earlier ones of the account were within the window."""
    over = 0
    for times in accounts:
        if len(times) > window.most:
            times.sort()
            over += sum(
                1 for first, last in zip(times, times[window.most :], strict=False) if first + window.seconds > last
            )
    return over


def simulate(scenario: Scenario, seed: int) -> Outcome:
    """Run all of a scenario, one shard after the other."""
    return joined([Simulation(scenario, seed, shard).run() for shard in range(scenario.shards)])


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Make one outcome of those of the shards."""
    late, behind = array("d"), array("d")
    for part in parts:
        late.extend(part.late)
        behind.extend(part.behind)
    sums = {
        name: sum(getattr(part, name) for part in parts)
        for name in ("posts", "inits", "refused", "creator_infos", "statuses", "peak", "waited", "over")
    }
    return Outcome(late=late, behind=behind, queued=max(part.queued for part in parts), **sums)


def table(outcomes: Sequence[tuple[Scenario, Outcome]]) -> str:
    """Return the outcomes as a table in Markdown, a scenario a column."""
    rows = [["", *[scenario.name.partition(":")[0] for scenario, _ in outcomes]]]
    rows.append(["---", *["---:"] * len(outcomes)])
    for label, cell in _ROWS:
        rows.append([label, *[cell(scenario, outcome) for scenario, outcome in outcomes]])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _seconds(values: array[float]) -> str:
    ranked = sorted(values)
    shares = [ranked[min(len(ranked) - 1, math.ceil(share * len(ranked)) - 1)] for share in (0.5, 0.99, 1.0)]
    return " / ".join(f"{value:,.0f}" for value in shares)


_ROWS: tuple[tuple[str, Callable[[Scenario, Outcome], str]], ...] = (
    ("posts", lambda scenario, _: f"{scenario.posts:,}"),
    ("accounts", lambda scenario, _: f"{scenario.accounts:,}"),
    ("Lambda concurrency allowed", lambda scenario, _: f"{scenario.concurrency:,}"),
    ("executions started a second, at most", lambda scenario, _: f"{scenario.starts:,}"),
    ("posts that went out", lambda _, outcome: f"{outcome.posts:,}"),
    ("init calls per post", lambda _, outcome: f"{outcome.inits / outcome.posts:.2f}"),
    ("of them refused", lambda _, outcome: f"{outcome.refused:,}"),
    ("creator_info calls per post", lambda _, outcome: f"{outcome.creator_infos / outcome.posts:.2f}"),
    ("status calls per post", lambda _, outcome: f"{outcome.statuses / outcome.posts:.2f}"),
    ("seconds late, p50 / p99 / max", lambda _, outcome: _seconds(outcome.late)),
    ("seconds behind its turn, p50 / p99 / max", lambda _, outcome: _seconds(outcome.behind)),
    ("posts that waited for their turn", lambda _, outcome: f"{outcome.waited:,}"),
    ("Lambda concurrency, peak", lambda _, outcome: f"{outcome.peak:,}"),
    ("longest wait for a free function, s", lambda _, outcome: f"{outcome.queued:,.0f}"),
    ("calls beyond a limit", lambda _, outcome: f"{outcome.over:,}"),
)


def _shard(work: tuple[Scenario, int, int]) -> Outcome:
    # Nothing here is circular, and looking for circles among millions of small values takes longer than the rest.
    gc.disable()
    scenario, seed, shard = work
    return Simulation(scenario, seed, shard).run()


def main() -> int:
    """Print what was assumed and what came of it; 1 when a call of ours went beyond a limit or a post is missing."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same figures")
    seed: int = parser.parse_args().seed
    began = time.monotonic()
    # The longest first, so that both cores are busy to the end.
    order = sorted(SCENARIOS, key=lambda scenario: -scenario.posts)
    work = [(scenario, seed, shard) for scenario in order for shard in range(scenario.shards)]
    parts: dict[str, list[Outcome]] = defaultdict(list)
    with ProcessPoolExecutor(max_workers=2) as workers:
        for (scenario, _, _), part in zip(work, workers.map(_shard, work), strict=True):
            parts[scenario.name].append(part)
    outcomes = [(scenario, joined(parts[scenario.name])) for scenario in SCENARIOS]
    print("\n".join(scenario.name for scenario in SCENARIOS))
    print()
    print(table(outcomes))
    print()
    functions = ", ".join(
        f"{each.name.lower()} {seconds}" for each, seconds in zip(Function, MEDIAN_SECONDS, strict=True)
    )
    print(
        f"Assumed: Scheduler {SCHEDULER_RATE:,}/s; a function's seconds {functions}, lognormal (sigma {SPREAD}), "
        f"and {COLD_SECONDS} more for a cold one; TikTok's processing {PROCESSING_SECONDS:.0f} s (sigma "
        f"{PROCESSING_SPREAD}); {AT_THE_HOUR:.0%} of a day's posts at full hours; who finds no free function gets the "
        "next. D runs as two halves, each with half of every quota. Not in it: the minute within which the Scheduler "
        "may fire, conflicts of workers, faults, and intake (one creator_info more)."
    )
    print(f"Seed {seed}, {time.monotonic() - began:.0f} s.")
    lost = any(outcome.posts != scenario.posts for scenario, outcome in outcomes)
    return 1 if lost or any(outcome.over for scenario, outcome in outcomes if not scenario.naive) else 0


if __name__ == "__main__":
    sys.exit(main())
