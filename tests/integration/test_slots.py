"""The port Slots."""

import math

import pytest

from publisher.domain.errors import Busy, ServiceUnavailable
from publisher.domain.slots import DRAFTS, LANES, POSTS, WINDOWS, Entry, Hold, Place, Usage, count, hold, join, take
from publisher.use_cases.take_turn import change_usage
from tests.builders import NOW

HELD = Hold(NOW + 0.1, "spam_risk", "TikTok suspects the account.", "Wait: it is over “soon”.", "log-1")


def a_usage(usage_id="account-1"):
    """Something of everything, at moments that no binary fraction is."""
    usage = Usage(usage_id)
    usage, _ = take(usage, POSTS, "post-1", NOW + 0.1)
    usage, _ = take(usage, DRAFTS, "post-2", NOW + math.pi)
    usage, _ = join(usage, POSTS, "post-3", NOW + 0.3, held_until=NOW + 1 / 3)
    return hold(usage, LANES, HELD)


def take_a_slot(ports, number, lane=POSTS):
    return change_usage(ports, "account-1", lambda usage, now: take(usage, lane, f"post-{number}", now))


# Every store
def test_what_was_never_used_is_empty(ports):
    assert ports.slots.get("account-1") == Usage("account-1")


def test_a_usage_reads_back_as_it_was_stored(ports):
    usage = a_usage()
    ports.slots.save(usage)
    read = ports.slots.get("account-1")
    assert read == usage._replace(version=1)
    assert isinstance(read.logs["publish"][0], Entry)
    assert isinstance(read.lines["posts"][0], Place)
    assert isinstance(read.holds["posts"], Hold)


def test_a_usage_that_was_read_can_be_changed_and_stored_again(ports):
    ports.slots.save(a_usage())
    ports.slots.save(ports.slots.get("account-1")._replace(holds={}))
    assert ports.slots.get("account-1") == a_usage()._replace(holds={}, version=2)


def test_each_account_has_its_own(ports):
    ports.slots.save(a_usage())
    ports.slots.save(Usage("app", holds={"posts": HELD}))
    assert ports.slots.get("account-2") == Usage("account-2")
    assert ports.slots.get("app").logs == {}


@pytest.mark.parametrize("times", [1, 2])
def test_a_usage_that_somebody_has_stored_since_is_not_overwritten(ports, times):
    read = ports.slots.get("account-1")
    for _ in range(times):
        ports.slots.save(ports.slots.get("account-1")._replace(holds={"posts": HELD}))
    with pytest.raises(Busy):
        ports.slots.save(read)
    assert ports.slots.get("account-1").holds == {"posts": HELD}


def test_of_24_workers_that_take_a_slot_as_many_get_one_as_the_hour_has(ports, race):
    turns = race(lambda number: take_a_slot(ports, number), 24)
    assert sum(turn.taken for turn in turns) == 6
    usage = ports.slots.get("account-1")
    owners = [entry.owner for entry in usage.logs["publish"]]
    assert len(owners) == len(set(owners)) == 6
    assert {place.owner for place in usage.lines["posts"]} == {f"post-{number}" for number in range(24)} - set(owners)


def test_of_24_workers_for_the_same_post_all_get_the_one_slot(ports, race):
    turns = race(lambda _: take_a_slot(ports, 1), 24)
    assert all(turn.taken for turn in turns)
    assert sum(turn.fresh for turn in turns) == 1
    assert len(ports.slots.get("account-1").logs["publish"]) == 1


# DynamoDB
def test_a_save_whose_answer_was_lost_recognizes_itself(aws_ports):
    for expected in (1, 2):
        aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
        aws_ports.slots.save(aws_ports.slots.get("account-1")._replace(holds={"posts": HELD}))
        assert aws_ports.slots.get("account-1").version == expected


def test_a_slot_whose_answer_was_lost_is_taken_once(aws_ports):
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    assert take_a_slot(aws_ports, 1).fresh
    assert len(aws_ports.slots.get("account-1").logs["publish"]) == 1


def test_a_save_that_never_arrived_stores_nothing(aws_ports):
    refused = aws_ports.aws.answer("dynamodb", "UpdateItem", 500, {})
    with pytest.raises(ServiceUnavailable):
        aws_ports.slots.save(a_usage())
    refused += [0] * 99  # from here on calls arrive
    assert aws_ports.slots.get("account-1") == Usage("account-1")


def test_an_account_that_has_used_everything_up_is_a_small_item(aws_ports):
    """DynamoDB counts writes by the KiB and takes 400 of them."""
    usage = Usage("account-1")
    for window in WINDOWS:
        for number in range(window.most):
            usage, _ = count(usage, window, f"00000000-0000-4000-8000-{number:012}", NOW + number / 7)
    for number in range(50):
        for lane in LANES:
            usage, _ = join(usage, lane, f"00000000-0000-4000-8001-{number:012}", NOW + 60)
    aws_ports.slots.save(hold(usage, LANES, HELD))
    (item,) = aws_ports.aws.clients["dynamodb"].scan(TableName="AccountsTable")["Items"]
    assert sum(len(str(value)) for value in item.values()) < 24 * 1024


def test_dynamodb_may_not_remove_what_was_used_and_it_is_no_account(aws_ports):
    aws_ports.slots.save(a_usage())
    (item,) = aws_ports.aws.clients["dynamodb"].scan(TableName="AccountsTable")["Items"]
    assert set(item) == {"pk", "version", "used", "write"}
    assert item["pk"] == {"S": "slots#account-1"}
    assert aws_ports.accounts.of_workspace("workspace-1") == []
    assert aws_ports.accounts.due(NOW * 2, 100) == []
