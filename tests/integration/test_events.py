"""The port Events: what was taken in, and when."""

import pytest

from publisher.domain.limits import EVENT_NOTE_SECONDS
from publisher.ports import EventTimes
from tests.builders import NOW, a_post

DAY = 86400


def test_an_event_is_known_once_it_is_remembered(ports):
    assert not ports.events.known("one")
    ports.events.remember("one", NOW + DAY)
    assert ports.events.known("one")
    assert not ports.events.known("two")


def test_an_event_is_forgotten_in_its_time(ports):
    ports.events.remember("one", NOW + DAY)
    ports.clock.time += DAY + 1
    assert not ports.events.known("one")


def test_an_event_may_be_remembered_again(ports):
    for _ in range(2):
        ports.events.remember("one", NOW + DAY)
    ports.clock.time += DAY + 1
    ports.events.remember("one", NOW + 3 * DAY)
    assert ports.events.known("one")


def test_at_first_no_event_has_come(ports):
    assert ports.events.times() == EventTimes(last_good_at=None, last_bad_at=None)


@pytest.mark.parametrize("good", [True, False])
def test_an_event_is_noted_at_most_once_a_minute(ports, good):
    name = "last_good_at" if good else "last_bad_at"
    for seconds in (0, 1, EVENT_NOTE_SECONDS - 1):
        ports.events.note(good=good, now=NOW + seconds)
        assert getattr(ports.events.times(), name) == NOW
    ports.events.note(good=good, now=NOW + EVENT_NOTE_SECONDS)
    assert getattr(ports.events.times(), name) == NOW + EVENT_NOTE_SECONDS


def test_good_and_bad_events_are_noted_apart(ports):
    ports.events.note(good=True, now=NOW)
    ports.events.note(good=False, now=NOW + 1)
    assert ports.events.times() == EventTimes(last_good_at=NOW, last_bad_at=NOW + 1)


# DynamoDB
def test_events_live_beside_the_posts_and_are_in_no_list_of_them(aws_ports):
    post = a_post(watch_at=NOW)
    aws_ports.posts.accept(post, None)
    aws_ports.events.remember("one", NOW + DAY)
    aws_ports.events.note(good=True, now=NOW)
    assert aws_ports.posts.due(NOW, 10) == [post.post_id]
    assert aws_ports.posts.get("one") is None


def test_what_is_remembered_leaves_the_table_by_itself(aws_ports):
    aws_ports.events.remember("one", NOW + DAY)
    item = aws_ports.aws.clients["dynamodb"].get_item(TableName="PostsTable", Key={"pk": {"S": "event#one"}})["Item"]
    assert item["expires"] == {"N": str(int(NOW + DAY))}
