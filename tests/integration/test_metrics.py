"""The port Metrics."""

import math
import random

import pytest

from publisher.domain.errors import Busy, ServiceUnavailable
from publisher.domain.history import AGES, Collected, Counts, Day, Look, Track, date_of
from publisher.domain.metrics import AccountFigures
from publisher.ports import Answered
from tests.builders import NOW

DAY = 86400
FIGURES = AccountFigures(follower_count=2**40, following_count=3, likes_count=None, video_count=2)
TRACKS = {
    "7100000000000000001": Track(int(NOW) - DAY, Look(NOW + 0.1, Counts(10, 2, 1, 0)), {"1h": Counts(4, 1, 0, 0)}),
    "7100000000000000002": Track(int(NOW)),
}
COLLECTED = Collected(account_id="account-1", at=NOW + 1 / 3, figures=FIGURES, tracks=TRACKS)


def a_day(at=NOW, views=10):
    return Day(date=date_of(at), at=at, figures=FIGURES, videos={"7100000000000000001": Counts(views, 2, 1, 0)})


def an_answer(at=NOW, until=NOW + 900, text='{"emu": "“é”"}'):
    return Answered(text=text, at=at, until=until)


# What was collected
def test_an_account_that_was_never_collected_is_empty_and_not_due(ports):
    assert ports.metrics.get("account-1") == Collected(account_id="account-1")
    assert ports.metrics.due(NOW + 365 * DAY, 10) == []
    assert ports.metrics.days("account-1", "2000-01-01", "2100-01-01") == []


def test_what_was_collected_reads_back_as_it_was_stored(ports):
    ports.metrics.save(COLLECTED, NOW + DAY)
    read = ports.metrics.get("account-1")
    assert read == COLLECTED.model_copy(update={"version": 1})
    track = read.tracks["7100000000000000001"]
    assert isinstance(track, Track)
    assert isinstance(track.last, Look)
    assert isinstance(track.ages["1h"], Counts)


def test_what_is_no_longer_known_is_not_kept(ports):
    ports.metrics.save(COLLECTED, NOW + DAY)
    known = ports.metrics.get("account-1")
    ports.metrics.save(known.model_copy(update={"at": None, "figures": AccountFigures(), "tracks": {}}), NOW)
    assert ports.metrics.get("account-1") == Collected(account_id="account-1", version=2)


@pytest.mark.parametrize("times", [1, 2])
def test_what_another_worker_has_collected_since_is_not_overwritten_nor_planned_anew(ports, times):
    read = ports.metrics.get("account-1")
    for _ in range(times):
        ports.metrics.save(COLLECTED.model_copy(update={"version": ports.metrics.get("account-1").version}), NOW + DAY)
    with pytest.raises(Busy):
        ports.metrics.save(read, NOW)
    assert ports.metrics.get("account-1").figures == FIGURES
    assert ports.metrics.due(NOW + 1, 10) == []


def test_of_eight_workers_that_collect_the_same_account_one_stores(ports, race):
    outcomes = race(lambda _: ports.metrics.save(COLLECTED, NOW + DAY), 8)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, Busy) for outcome in outcomes)


# When to collect
def test_an_account_is_due_at_its_moment(ports):
    ports.metrics.plan("account-1", NOW + 0.5)
    assert ports.metrics.due(NOW, 10) == []
    assert ports.metrics.due(NOW + 0.5, 10) == ["account-1"]


def test_a_plan_moves_only_forward_in_line(ports):
    for at in (NOW + 60, NOW + 3600, NOW + 60, NOW + 30, NOW + 90):
        ports.metrics.plan("account-1", at)
    assert ports.metrics.due(NOW + 29, 10) == []
    assert ports.metrics.due(NOW + 30, 10) == ["account-1"]


def test_an_account_that_is_put_off_is_due_later_and_can_be_planned_sooner_again(ports):
    ports.metrics.plan("account-1", NOW)
    ports.metrics.put_off("account-1", NOW + 900)
    assert ports.metrics.due(NOW + 899, 10) == []
    assert ports.metrics.due(NOW + 900, 10) == ["account-1"]
    ports.metrics.plan("account-1", NOW + 1)
    assert ports.metrics.due(NOW + 1, 10) == ["account-1"]


def test_an_account_that_is_put_off_for_good_is_due_only_when_it_is_planned_anew(ports):
    ports.metrics.save(COLLECTED, NOW)
    ports.metrics.put_off("account-1", None)
    ports.metrics.put_off("account-1", None)
    assert ports.metrics.due(NOW + 365 * DAY, 10) == []
    ports.metrics.plan("account-1", NOW)
    assert ports.metrics.due(NOW, 10) == ["account-1"]


def test_what_was_collected_stays_when_its_account_is_planned_or_put_off(ports):
    ports.metrics.save(COLLECTED, NOW + DAY)
    ports.metrics.plan("account-1", NOW)
    ports.metrics.put_off("account-1", None)
    assert ports.metrics.get("account-1").figures == FIGURES


def test_the_longest_overdue_come_first_and_no_more_than_are_asked_for(ports):
    moments = list(range(30))
    random.Random(6).shuffle(moments)
    for moment in moments:
        ports.metrics.plan(f"account-{moment}", NOW + moment)
    assert ports.metrics.due(NOW + 19, 12) == [f"account-{moment}" for moment in range(12)]
    assert len(ports.metrics.due(NOW + 19, 100)) == 20


# The days
def test_a_day_reads_back_as_it_was_stored(ports):
    ports.metrics.record("account-1", a_day(NOW + math.pi))
    (read,) = ports.metrics.days("account-1", "2000-01-01", "2100-01-01")
    assert read == a_day(NOW + math.pi)
    assert isinstance(read.videos["7100000000000000001"], Counts)


def test_a_day_that_is_collected_again_is_kept_once_as_it_was_last(ports):
    for views in (10, 30, 20):
        ports.metrics.record("account-1", a_day(views=views))
    (read,) = ports.metrics.days("account-1", date_of(NOW), date_of(NOW))
    assert read.videos["7100000000000000001"].views == 20


def test_days_come_oldest_first_with_both_ends_and_of_one_account_alone(ports):
    for number in (3, 0, 4, 1, 2):
        ports.metrics.record("account-1", a_day(NOW + number * DAY))
    ports.metrics.record("account-10", a_day(NOW + DAY))
    ports.metrics.save(COLLECTED, NOW)
    ports.metrics.plan("account-1", NOW)
    ports.metrics.answer("account-1", "figures", an_answer())
    found = ports.metrics.days("account-1", date_of(NOW + DAY), date_of(NOW + 3 * DAY))
    assert [day.date for day in found] == [date_of(NOW + number * DAY) for number in (1, 2, 3)]


# Answers
def test_an_answer_is_good_until_its_moment_and_for_its_question_alone(ports):
    answer = an_answer(until=ports.clock.now() + 900.5)
    ports.metrics.answer("account-1", "videos#17#20", answer)
    assert ports.metrics.answered("account-1", "videos#17#20") == answer
    assert ports.metrics.answered("account-1", "videos#17#2") is None
    assert ports.metrics.answered("account-2", "videos#17#20") is None
    ports.clock.sleep(900)
    assert ports.metrics.answered("account-1", "videos#17#20") == answer
    ports.clock.sleep(0.5)
    assert ports.metrics.answered("account-1", "videos#17#20") is None


def test_of_24_readers_one_may_ask(ports, race):
    until = ports.clock.now() + 20
    outcomes = race(lambda _: ports.metrics.lease("account-1", "figures", until), 24)
    assert sorted(outcomes) == [False] * 23 + [True]


def test_nobody_may_ask_for_what_was_just_answered(ports):
    """A reader that saw no answer may come for the right only when another one has answered and given it back."""
    now = ports.clock.now()
    assert ports.metrics.lease("account-1", "figures", now + 20)
    ports.metrics.answer("account-1", "figures", an_answer(until=now + 900))
    assert not ports.metrics.lease("account-1", "figures", now + 20)
    assert ports.metrics.answered("account-1", "figures") == an_answer(until=now + 900)
    ports.clock.sleep(900)
    assert ports.metrics.lease("account-1", "figures", now + 920)


def test_the_right_to_ask_is_free_again_when_no_answer_was_found_and_when_its_holder_is_gone(ports):
    now = ports.clock.now()
    assert ports.metrics.lease("account-1", "figures", now + 20)
    ports.metrics.answer("account-1", "figures", None)
    assert ports.metrics.answered("account-1", "figures") is None
    assert ports.metrics.lease("account-1", "figures", now + 20)
    ports.clock.sleep(19)
    assert not ports.metrics.lease("account-1", "figures", now + 40)
    ports.clock.sleep(1)
    assert ports.metrics.lease("account-1", "figures", now + 40)


def test_a_newer_answer_takes_the_place_of_an_older_one(ports):
    now = ports.clock.now()
    ports.metrics.answer("account-1", "figures", an_answer(until=now + 1, text="1"))
    ports.clock.sleep(2)
    assert ports.metrics.lease("account-1", "figures", now + 22)
    ports.metrics.answer("account-1", "figures", an_answer(until=now + 900, text="2"))
    assert ports.metrics.answered("account-1", "figures") == an_answer(until=now + 900, text="2")


# DynamoDB
def stored(aws_ports, sk):
    items = aws_ports.aws.clients["dynamodb"].scan(TableName="MetricsTable")["Items"]
    return next(item for item in items if item["sk"]["S"] == sk)


def test_a_save_whose_answer_was_lost_recognizes_itself(aws_ports):
    for expected in (1, 2):
        known = aws_ports.metrics.get("account-1")
        aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
        aws_ports.metrics.save(COLLECTED.model_copy(update={"version": known.version}), NOW)
        assert aws_ports.metrics.get("account-1").version == expected


def test_the_right_to_ask_whose_answer_was_lost_is_still_ones_own(aws_ports):
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    assert aws_ports.metrics.lease("account-1", "figures", aws_ports.clock.now() + 20)


def test_what_never_arrived_is_not_stored_and_said_to_be_worth_another_try(aws_ports):
    refused = aws_ports.aws.answer("dynamodb", "UpdateItem", 500, {})
    for write in (
        lambda: aws_ports.metrics.save(COLLECTED, NOW),
        lambda: aws_ports.metrics.plan("account-1", NOW),
        lambda: aws_ports.metrics.record("account-1", a_day()),
    ):
        with pytest.raises(ServiceUnavailable):
            write()
    refused += [0] * 99  # from here on calls arrive
    assert aws_ports.metrics.get("account-1") == Collected(account_id="account-1")
    assert aws_ports.metrics.due(NOW, 10) == []


def test_dynamodb_may_remove_days_and_answers_and_nothing_else(aws_ports):
    now = aws_ports.clock.now()
    aws_ports.metrics.save(COLLECTED, now)
    aws_ports.metrics.record("account-1", a_day(NOW))
    aws_ports.metrics.lease("account-1", "figures", now + 20)
    aws_ports.metrics.answer("account-1", "figures", an_answer(until=now + 900))
    aws_ports.metrics.lease("account-1", "videos", now + 20)
    assert "expires" not in stored(aws_ports, "latest")
    assert "expires" not in stored(aws_ports, "plan")
    assert float(stored(aws_ports, f"day#{date_of(NOW)}")["expires"]["N"]) == NOW + 400 * DAY
    assert float(stored(aws_ports, "answer#figures")["expires"]["N"]) >= now + 900
    assert float(stored(aws_ports, "answer#videos")["expires"]["N"]) >= now + 20


def test_an_account_with_as_many_videos_as_are_collected_is_a_small_item(aws_ports):
    """DynamoDB takes 400 KiB; an item may hold half of that."""
    chance = random.Random(6)
    ids = [str(chance.randrange(7 * 10**18, 8 * 10**18)) for _ in range(500)]

    def counts():
        return Counts(*(chance.randrange(10**9) for _ in range(4)))

    tracks = {one: Track(int(NOW), Look(NOW + 0.123456, counts()), {age: counts() for age in AGES}) for one in ids}
    aws_ports.metrics.save(COLLECTED.model_copy(update={"tracks": tracks}), NOW)
    aws_ports.metrics.record("account-1", a_day().model_copy(update={"videos": {one: counts() for one in ids}}))
    assert len(stored(aws_ports, "latest")["tracks"]["B"]) < 200 * 1024
    assert len(stored(aws_ports, f"day#{date_of(NOW)}")["videos"]["B"]) < 32 * 1024
    assert aws_ports.metrics.get("account-1").tracks == tracks
