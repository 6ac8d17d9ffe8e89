"""The port PhotoHost."""

import pytest

from publisher.domain.errors import Busy, InternalServerError, ServiceUnavailable
from publisher.ports import Hosted
from tests.builders import NOW

DAY = 86400
PREFIX = "0123456789abcdef" * 2
HOSTED = Hosted(folder="staging/post/folder", count=3)


def host(ports, hosted=HOSTED, until=NOW + DAY, prefix=PREFIX):
    ports.photo_host.host(prefix, hosted, until)


def pull(ports, number=1, now=NOW, prefix=PREFIX):
    return ports.photo_host.pull(prefix, number, now)


# Every host
@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_picture_of_an_open_address_may_be_pulled_again_and_again(ports, number):
    host(ports)
    assert pull(ports, number) == HOSTED
    assert pull(ports, number) == HOSTED


@pytest.mark.parametrize("number", [0, -1, 4, 99])
def test_a_picture_that_is_not_there_is_not_pulled(ports, number):
    host(ports)
    assert pull(ports, number) is None
    assert ports.photo_host.fence(PREFIX)


def test_an_unknown_address_is_not_pulled_and_does_not_come_about(ports):
    assert pull(ports) is None
    host(ports)
    assert ports.photo_host.fence(PREFIX)


def test_an_address_is_its_own(ports):
    host(ports)
    host(ports, Hosted(folder="another", count=1), prefix="f" * 32)
    assert pull(ports, prefix="f" * 32) == Hosted(folder="another", count=1)
    assert ports.photo_host.fence(PREFIX)


def test_an_address_is_open_until_its_second(ports):
    host(ports, until=NOW + 10)
    assert pull(ports, now=NOW + 10) is None
    assert pull(ports, now=NOW + 9.9) == HOSTED


def test_an_address_that_is_over_unused_can_be_fenced(ports):
    host(ports, until=NOW + 10)
    assert pull(ports, now=NOW + 11) is None
    assert ports.photo_host.fence(PREFIX)


def test_hosting_again_changes_nothing(ports):
    host(ports)
    pull(ports)
    host(ports)
    assert pull(ports) == HOSTED
    assert not ports.photo_host.fence(PREFIX)


def test_nothing_is_pulled_from_a_fenced_address(ports):
    host(ports)
    assert ports.photo_host.fence(PREFIX)
    assert pull(ports) is None
    assert ports.photo_host.fence(PREFIX)


def test_an_address_that_was_pulled_from_is_not_fenced_and_stays_open(ports):
    host(ports)
    pull(ports, 3)
    assert not ports.photo_host.fence(PREFIX)
    assert pull(ports, 1) == HOSTED


def test_an_address_that_was_fenced_before_it_was_hosted_never_opens(ports):
    assert ports.photo_host.fence(PREFIX)
    with pytest.raises(Busy):
        host(ports)
    assert pull(ports) is None


@pytest.mark.parametrize("pulled", [False, True])
def test_a_closed_address_is_closed_for_good(ports, pulled):
    host(ports)
    if pulled:
        pull(ports)
    ports.photo_host.close(PREFIX)
    ports.photo_host.close(PREFIX)
    assert pull(ports) is None
    with pytest.raises(Busy):
        host(ports)


def test_closing_does_not_make_it_look_as_if_nothing_was_pulled(ports):
    host(ports)
    pull(ports)
    ports.photo_host.close(PREFIX)
    assert not ports.photo_host.fence(PREFIX)


def test_an_address_may_be_closed_before_it_is_hosted(ports):
    ports.photo_host.close(PREFIX)
    with pytest.raises(Busy):
        host(ports)


@pytest.mark.parametrize("round_", range(5))
def test_pulled_or_fenced_never_both_and_never_neither(ports, race, round_):
    """Whatever the order, all workers come to the same end."""
    host(ports)

    def act(number):
        return ("fenced", ports.photo_host.fence(PREFIX)) if (number + round_) % 2 else ("pulled", pull(ports))

    outcomes = race(act, 16)
    pulled = {told is not None for kind, told in outcomes if kind == "pulled"}
    fenced = {told for kind, told in outcomes if kind == "fenced"}
    assert len(pulled) == len(fenced) == 1
    assert pulled != fenced


@pytest.mark.parametrize("round_", range(5))
def test_of_hosting_and_fencing_at_once_none_leaves_a_fenced_address_open(ports, race, round_):
    def act(number):
        return ports.photo_host.fence(PREFIX) if (number + round_) % 2 else host(ports)

    outcomes = race(act, 8)
    assert outcomes.count(True) == 4
    assert pull(ports) is None
    with pytest.raises(Busy):
        host(ports)


# DynamoDB
def test_a_pull_whose_answer_was_lost_is_a_pull(aws_ports):
    host(aws_ports)
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    assert pull(aws_ports) == HOSTED
    assert not aws_ports.photo_host.fence(PREFIX)


def test_a_fence_whose_answer_was_lost_is_a_fence(aws_ports):
    host(aws_ports)
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    assert aws_ports.photo_host.fence(PREFIX)
    assert pull(aws_ports) is None


def test_an_address_whose_opening_was_answered_by_nobody_is_open(aws_ports):
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    host(aws_ports)
    assert pull(aws_ports) == HOSTED


def test_a_closing_whose_answer_was_lost_closes(aws_ports):
    host(aws_ports)
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    aws_ports.photo_host.close(PREFIX)
    assert pull(aws_ports) is None


def test_a_pull_that_never_arrived_decides_nothing(aws_ports):
    host(aws_ports)
    refused = aws_ports.aws.answer("dynamodb", "UpdateItem", 500, {})
    with pytest.raises(ServiceUnavailable):
        pull(aws_ports)
    refused += [0] * 99  # from here on calls arrive
    assert aws_ports.photo_host.fence(PREFIX)


def test_a_fence_that_never_arrived_is_no_fence(aws_ports):
    host(aws_ports)
    refused = aws_ports.aws.answer("dynamodb", "UpdateItem", 400, {"__type": "AccessDeniedException"})
    with pytest.raises(InternalServerError):
        aws_ports.photo_host.fence(PREFIX)
    refused += [0] * 99
    assert pull(aws_ports) == HOSTED


@pytest.mark.parametrize("act", ["host", "pull", "fence", "close"])
def test_every_address_is_kept_two_days_longer_than_anything_can_happen_to_it(aws_ports, act):
    if act != "fence":
        host(aws_ports)
    match act:
        case "pull":
            pull(aws_ports)
        case "fence":
            aws_ports.photo_host.fence(PREFIX)
        case "close":
            aws_ports.photo_host.close(PREFIX)
    (item,) = aws_ports.aws.clients["dynamodb"].scan(TableName="PhotoHostTable")["Items"]
    assert item["pk"] == {"S": f"prefix#{PREFIX}"}
    assert float(item["expires"]["N"]) == NOW + (2 * DAY if act in ("fence", "close") else 3 * DAY)
