"""An account's limits hold in every sliding window, give away every slot there is, and let posts go in their turn."""

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.limits import LINE_LAPSE_SECONDS
from publisher.domain.slots import (
    DRAFTS,
    LANES,
    POSTS,
    PUBLISH,
    TIKTOK_CREATOR_INFO,
    TIKTOK_DRAFTS,
    TIKTOK_INIT,
    TIKTOK_POSTS,
    TIKTOK_STATUS,
    WINDOWS,
    Entry,
    Hold,
    Lane,
    Turn,
    Usage,
    Window,
    count,
    held,
    hold,
    join,
    leave,
    refund,
    seconds_until,
    take,
    used,
    waiting,
)

HOUR, DAY = 3600, 86400
NOON = 1_800_000_000.0
OWNERS = [f"post{number}" for number in range(30)]

# An hour back and an hour ahead, the same second again, and the lengths after which something ends, missed or just met.
STEPS = st.sampled_from([0, 0, 0, 0.4, 1, -2, -HOUR, 30, 65, 600, HOUR - 1, HOUR, DAY - HOUR, DAY]) | st.floats(
    -60, 900
)
ACTS = st.sampled_from(["join", "take", "take", "take", "take", "leave", "refund", "count"])
DEEDS = st.lists(st.tuples(STEPS, ACTS, st.sampled_from(OWNERS), st.integers(0, 2)), min_size=20, max_size=120)


class Stamped(NamedTuple):
    """What was taken, as the test wrote it down by itself."""

    window: Window
    entry: Entry


class Book:
    """A usage under a clock that anybody may set, and beside it a record of every slot that was ever taken."""

    def __init__(self, now: float = NOON) -> None:
        self.usage, self.now = Usage("account"), now
        self.stamped: list[Stamped] = []
        self.given_back: dict[str, float] = {}

    def take(self, owner: str, lane: Lane = POSTS) -> Turn:
        before = self.usage
        self.usage, turn = take(self.usage, lane, owner, self.now)
        self._write_down(before)
        return turn

    def join(self, owner: str, lane: Lane = POSTS) -> Turn:
        self.usage, turn = join(self.usage, lane, owner, self.now)
        return turn

    def leave(self, owner: str, lane: Lane = POSTS) -> None:
        self.usage = leave(self.usage, lane, owner)

    def count(self, window: Window) -> float:
        before = self.usage
        self.usage, wait = count(self.usage, window, f"call{len(self.stamped)}", self.now)
        self._write_down(before)
        return wait

    def refund(self, owner: str, lane: Lane = POSTS) -> None:
        before = self.usage
        self.usage = refund(self.usage, lane, owner)
        for window in WINDOWS:
            for entry in set(before.logs.get(window.name, ())) - set(self.usage.logs.get(window.name, ())):
                self.stamped.remove(Stamped(window, entry))
                self.given_back[lane.name] = max(entry.at, self.given_back.get(lane.name, 0))

    def line(self, lane: Lane = POSTS) -> list[str]:
        """Who stands in line at this moment."""
        places = self.usage.lines.get(lane.name, ())
        return [place.owner for place in places if place.turn_at + LINE_LAPSE_SECONDS > self.moment(lane)]

    def moment(self, lane: Lane) -> float:
        """The clock, but no earlier than when a slot of the lane was last taken, though it was given back."""
        taken = [stamp.entry.at for stamp in self.stamped if stamp.window in lane.windows]
        return max([self.now, *taken, self.given_back.get(lane.name, 0)])

    def living(self, window: Window, moment: float) -> list[str]:
        """Who has a slot by the test's own record."""
        return [
            stamp.entry.owner
            for stamp in self.stamped
            if stamp.window == window and stamp.entry.at + window.seconds > moment
        ]

    def free(self, lane: Lane, owner: str) -> float:
        """How many more posts the windows have room for that the owner lacks a slot in."""
        moment = self.moment(lane)
        rooms = [(window, self.living(window, moment)) for window in lane.windows]
        return min([window.most - len(owners) for window, owners in rooms if owner not in owners], default=float("inf"))

    def turns(self, owners: list[str], lane: Lane = POSTS) -> list[float]:
        """What each would be told now."""
        return [max(join(self.usage, lane, owner, self.now)[1].at, self.moment(lane)) for owner in owners]

    def most_at_once(self, window: Window) -> int:
        """How many slots were taken in the fullest stretch of the window's length, found by looking at each."""
        times = [stamp.entry.at for stamp in self.stamped if stamp.window == window]
        return max([sum(1 for other in times if at - window.seconds < other <= at) for at in times], default=0)

    def _write_down(self, before: Usage) -> None:
        for window in WINDOWS:
            known, log = before.logs.get(window.name, ()), self.usage.logs.get(window.name, ())
            self.stamped += [Stamped(window, entry) for entry in log[len(log) - 1 :] if log[-1:] != known[-1:]]
            assert len(set(log) - set(known)) <= 1, "one call takes one slot of a window"


def do(book: Book, deed: tuple[float, str, str, int]) -> Turn | None:
    """One thing that a worker may do; slots are given back only by who just took them, as the use case does."""
    step, act, owner, number = deed
    book.now += step
    lane = LANES[number % len(LANES)] if number == 1 else POSTS
    match act:
        case "join":
            book.join(owner, lane)
        case "take":
            return book.take(owner, lane)
        case "leave":
            book.leave(owner, lane)
        case "refund":
            if book.take(owner, lane).fresh:
                book.refund(owner, lane)
        case "count":
            book.count((TIKTOK_INIT, TIKTOK_CREATOR_INFO, TIKTOK_STATUS)[number])
    return None


@given(DEEDS)
def test_no_window_of_any_length_in_time_ever_holds_more_than_its_limit(deeds):
    book = Book()
    for deed in deeds:
        do(book, deed)
    assert [window.name for window in WINDOWS if book.most_at_once(window) > window.most] == []


@given(DEEDS)
def test_nobody_is_refused_while_there_is_room_for_him_and_all_ahead_of_him(deeds):
    book = Book()
    for step, act, owner, number in deeds:
        book.now += step
        if act == "take":
            line = book.line()
            ahead = line[: line.index(owner)] if owner in line else line
            room = book.free(POSTS, owner) > len(ahead)
            turn = book.take(owner)
            assert turn.taken or not room
        else:
            do(book, (0, act, owner, number))


@given(DEEDS)
def test_who_comes_later_never_delays_one_ahead_of_him(deeds):
    book = Book()
    for step, act, owner, number in deeds:
        book.now += step
        line = book.line()
        ahead = line[: line.index(owner)] if owner in line else line
        promised = book.turns(ahead)
        do(book, (0, act, owner, number))
        assert all(now <= before for now, before in zip(book.turns(ahead), promised, strict=True))
        assert book.line()[: len(ahead)] == ahead


@given(DEEDS)
def test_turns_rise_along_the_line(deeds):
    book = Book()
    for deed in deeds:
        do(book, deed)
        moment = book.moment(POSTS)
        have_none = [
            owner for owner in book.line() if all(owner not in book.living(window, moment) for window in POSTS.windows)
        ]
        assert all(first <= second for first, second in pairwise(book.turns(have_none)))


@given(st.lists(st.integers(0, 3 * HOUR), min_size=1, max_size=40))
def test_a_turn_that_was_told_is_kept_when_everybody_comes_at_his(arrivals):
    book, told = Book(), dict[str, float]()
    coming = sorted((NOON + after, number, f"post{number}") for number, after in enumerate(arrivals))
    while coming:
        book.now, number, owner = coming.pop(0)
        turn = book.take(owner)
        if owner in told:
            assert turn.taken
            assert book.now == told[owner]
        elif not turn.taken:
            told[owner] = turn.at
            coming = sorted([*coming, (turn.at, number, owner)])


@given(DEEDS)
def test_a_slot_taken_twice_costs_nothing(deeds):
    book = Book()
    for deed in deeds:
        turn = do(book, deed)
        if turn and turn.taken and deed[3] != 1:
            stamped, usage = list(book.stamped), book.usage
            again = book.take(deed[2])
            assert (again.taken, again.fresh) == (True, False)
            assert (book.stamped, book.usage.logs) == (stamped, usage.logs)


@given(DEEDS)
def test_a_refund_gives_back_what_was_fresh_and_nothing_else(deeds):
    book = Book()
    for step, act, owner, number in deeds:
        book.now += step
        if act == "refund":
            before, stamped = book.usage, list(book.stamped)
            if book.take(owner).fresh:
                book.refund(owner)
                assert sorted(book.stamped) == sorted(stamped)
                for window in POSTS.windows:
                    assert used(book.usage, window, book.now) == used(before, window, book.now)
        else:
            do(book, (0, act, owner, number))


@given(DEEDS)
def test_a_call_that_is_one_too_many_counts_nothing_and_may_be_made_exactly_when_told(deeds):
    book = Book()
    for step, _, _, number in deeds:
        window = (TIKTOK_INIT, TIKTOK_CREATOR_INFO, TIKTOK_STATUS)[number]
        book.now += min(step, 1)
        before = book.usage
        wait = book.count(window)
        if wait:
            assert book.usage == before
            assert wait > 0
            assert count(book.usage, window, "call", book.now + wait - 0.001)[1] > 0
            assert count(book.usage, window, "call", book.now + wait)[1] == 0


def test_twelve_posts_around_the_hour_get_the_slots_there_are_and_those_who_have_one_no_second():
    book = Book(NOON - 1800)
    assert [book.take(owner).fresh for owner in ("again1", "again2")] == [True, True]
    book.now = NOON - 1
    first = [book.take(owner) for owner in ("again1", "a", "b", "c", "d", "e")]
    assert [(turn.taken, turn.fresh) for turn in first] == [(True, False), *[(True, True)] * 4, (False, False)]
    book.now = NOON + 1 - 2  # another worker's clock, two seconds back
    second = [book.take(owner) for owner in ("again2", "f", "g", "h", "i", "j")]
    assert [(turn.taken, turn.fresh) for turn in second] == [(True, False), *[(False, False)] * 5]
    assert book.most_at_once(PUBLISH) == 6
    # Two slots are free half an hour later, and four an hour after they were taken.
    assert [first[5].at, *(turn.at for turn in second[1:])] == [*[NOON + 1800] * 2, *[NOON - 1 + HOUR] * 4]


def test_a_clock_that_is_behind_makes_nobody_wait_while_there_is_room():
    book = Book()
    book.take("a")
    book.now = NOON - 2
    assert book.join("b").at == book.now
    assert book.take("b") == Turn(at=book.now, taken=True, fresh=True)


def test_a_clock_that_is_behind_frees_nothing_early_and_one_ahead_nothing_late():
    book = Book()
    for owner in OWNERS[:6]:
        book.take(owner)
    book.now = NOON - HOUR
    assert book.take("late").at == NOON + HOUR
    book.now = NOON + HOUR - 1
    assert not book.take("late").taken
    book.now = NOON + HOUR
    assert book.take("late").taken


def test_the_seventh_post_of_an_hour_is_told_when_and_why():
    book = Book()
    for owner in OWNERS[:6]:
        assert book.take(owner).fresh
        book.now += 60
    assert book.take("seventh") == Turn(at=NOON + HOUR, taken=False, reason=PUBLISH)
    assert book.take("eighth") == Turn(at=NOON + 60 + HOUR, taken=False, reason=PUBLISH)


def test_the_sixteenth_post_of_a_day_waits_for_tiktoks_day():
    book = Book()
    for owner in OWNERS[:15]:
        assert book.take(owner).fresh
        book.now += HOUR
    assert book.take("sixteenth") == Turn(at=NOON + DAY, taken=False, reason=TIKTOK_POSTS)


def test_drafts_have_a_line_and_a_limit_of_their_own():
    book = Book()
    for owner in OWNERS[:6]:
        book.take(owner)
    drafts = [book.take(f"draft{number}", DRAFTS) for number in range(6)]
    assert [turn.fresh for turn in drafts] == [*[True] * 5, False]
    assert drafts[5].reason == TIKTOK_DRAFTS


def test_a_place_in_line_is_kept_for_a_post_on_its_way():
    book = Book()
    for owner in OWNERS[:5]:
        book.take(owner)
    assert book.join("first").at == NOON
    assert not book.take("second").taken
    assert book.take("first").fresh
    assert book.line() == ["second"]


def test_a_post_that_gives_its_place_up_lets_the_next_move_up():
    book = Book()
    for owner in OWNERS[:6]:
        book.take(owner)
        book.now += 60
    first, second = book.join("first").at, book.join("second").at
    book.leave("first")
    assert (first, book.join("second").at) == (NOON + HOUR, first)
    assert second == NOON + 60 + HOUR


def test_who_asks_again_keeps_his_place():
    book = Book()
    for owner in OWNERS[:6]:
        book.take(owner)
    for owner in ("first", "second", "first"):
        book.take(owner)
    assert book.line() == ["first", "second"]


def test_a_limit_that_was_lowered_counts_what_was_taken_before():
    higher, lower = (Lane("lane", (PUBLISH._replace(most=most),)) for most in (3, 2))
    usage = Usage("account")
    for number in range(3):
        usage, _ = take(usage, higher, OWNERS[number], NOON + number)
    assert take(usage, lower, "next", NOON + 2)[1].at == NOON + 1 + HOUR
    assert count(usage, lower.windows[0], "next", NOON + 2)[1] == HOUR - 1


def test_calls_counted_by_a_clock_that_is_behind_are_no_older_than_those_before():
    book = Book()
    for behind in (0, 2, 1):
        book.now = NOON - behind
        book.count(TIKTOK_INIT)
    assert used(book.usage, TIKTOK_INIT, NOON) == (NOON + TIKTOK_INIT.seconds,) * 3


def test_who_never_stood_in_line_leaves_it_as_it_is():
    assert leave(Usage("account"), POSTS, "nobody") == Usage("account")


def test_a_place_lapses_an_hour_after_its_turn_and_its_owner_starts_at_the_end():
    book = Book()
    for owner in OWNERS[:5]:
        book.take(owner)
    book.now += HOUR - 1
    book.join("gone")
    book.now += 1
    for owner in OWNERS[10:15]:
        assert book.take(owner).fresh
    assert not book.take("next").taken
    book.now = NOON + 2 * HOUR - 2
    assert book.line() == ["gone", "next"]
    assert not book.take("next").taken
    book.now = NOON + 2 * HOUR - 1
    assert book.take("next").fresh
    assert not book.take("gone").taken


def test_a_post_lacking_one_slot_of_two_takes_only_that_and_a_refund_leaves_it_the_other():
    book = Book()
    book.take("again")
    book.now += HOUR
    before = book.usage
    assert book.take("again").fresh
    assert book.living(TIKTOK_POSTS, book.now) == ["again"]
    assert book.living(PUBLISH, book.now) == ["again"]
    book.refund("again")
    assert used(book.usage, TIKTOK_POSTS, book.now) == used(before, TIKTOK_POSTS, book.now) == (NOON + DAY,)
    assert used(book.usage, PUBLISH, book.now) == ()


def test_a_refund_does_not_let_a_clock_that_is_behind_forget_slots():
    book = Book()
    for owner in OWNERS[:6]:
        book.take(owner)
    book.now += HOUR
    assert book.take("refused").fresh
    book.refund("refused")
    book.now -= 2
    for owner in OWNERS[10:16]:
        book.take(owner)
    assert book.most_at_once(PUBLISH) == 6


def test_a_post_lacking_one_slot_of_two_takes_no_room_of_the_other_from_those_behind():
    book = Book()
    for owner in OWNERS[:14]:  # "post8" and on within the last hour
        book.take(owner)
        book.now += 600
    book.now = NOON + 14 * 600
    full = [owner for owner in OWNERS[:14] if owner in book.living(PUBLISH, book.now)]
    assert len(full) == 5
    assert book.join("post0").at == book.now  # has its slot of the day, lacks one of the hour
    assert book.join("new") == Turn(at=NOON + 9 * 600 + HOUR, taken=False, reason=PUBLISH)  # the day has room for it


def test_a_post_that_has_its_slot_of_the_day_passes_those_that_wait_for_theirs():
    book = Book()
    for owner in OWNERS[:15]:
        book.take(owner)
        book.now += 1200
    waits = book.join("waits").at
    assert waits == NOON + DAY
    assert book.take("post0").fresh
    assert book.join("waits").at == waits


def test_six_such_posts_are_told_the_soonest_slots_whatever_is_kept_for_later():
    book = Book()
    for owner in OWNERS[:15]:
        book.take(owner)
        book.now += 1200
    book.now += HOUR
    assert book.join("waits").at == NOON + DAY  # one of six slots of the hour is kept for it
    assert [book.join(owner).at for owner in OWNERS[:6]] == [*[book.now] * 5, book.now + HOUR]


@pytest.mark.parametrize("lane", LANES)
def test_nothing_goes_before_a_hold_ends(lane):
    book = Book()
    refused = Hold(until=NOON + 500, code="spam_risk", error="e", message="m")
    book.usage = hold(book.usage, [lane], refused)
    assert book.take("a", lane) == Turn(at=NOON + 500, taken=False, reason=refused)
    book.now = NOON + 499
    assert held(book.usage, lane, book.now) == refused
    assert not book.take("a", lane).taken
    book.now = NOON + 500
    assert held(book.usage, lane, book.now) is None
    assert book.take("a", lane).fresh


def test_a_hold_delays_everybody_in_line_by_as_much_as_the_limits_ask():
    book = Book()
    for owner in OWNERS[:7]:
        book.join(owner)
    book.usage = hold(book.usage, [POSTS], Hold(until=NOON + 500, code="c", error="e", message="m"))
    assert book.turns(OWNERS[:7]) == [*[NOON + 500] * 6, NOON + 500 + HOUR]


def test_a_shorter_hold_does_not_end_a_longer_one():
    short, long = (Hold(until=NOON + more, code="c", error="e", message="m") for more in (10, 20))
    for first, second in ((short, long), (long, short)):
        usage = hold(hold(Usage("account"), LANES, first), LANES, second)
        assert [held(usage, lane, NOON) for lane in LANES] == [long, long]


def test_a_hold_that_lies_elsewhere_counts_as_ones_own():
    usage, turn = take(Usage("account"), POSTS, "a", NOON, held_until=NOON + 9)
    assert (turn.at, turn.taken) == (NOON + 9, False)
    assert take(usage, POSTS, "a", NOON + 9, held_until=NOON + 9)[1].fresh


def test_a_post_that_has_its_slots_needs_no_place_in_line():
    book = Book()
    book.take("a")
    book.join("a")
    book.usage = hold(book.usage, [POSTS], Hold(until=NOON + 500, code="c", error="e", message="m"))
    assert not book.take("a").taken
    assert book.line() == []


def test_who_waits_and_what_is_used_can_be_told():
    book = Book()
    for owner in OWNERS[:6]:
        book.take(owner)
    book.take("waits")
    assert [place.owner for place in waiting(book.usage, POSTS, NOON)] == ["waits"]
    assert waiting(book.usage, POSTS, NOON + HOUR) == ()
    assert used(book.usage, PUBLISH, NOON) == (NOON + HOUR,) * 6
    assert used(book.usage, PUBLISH, NOON + HOUR) == ()


@pytest.mark.parametrize(("left", "told"), [(0.2, 1), (-5, 1), (1, 1), (1.1, 2), (90, 90)])
def test_a_wait_is_told_in_whole_seconds_and_never_too_short(left, told):
    assert seconds_until(NOON + left, NOON) == told
