"""The port Endpoints."""

import pytest

from publisher.domain.endpoints import Delivery, DeliveryState, Try, leased, tried
from publisher.domain.errors import Busy, InvalidRequest
from publisher.ports import DeliveryKey
from tests.builders import NOW, a_delivery, an_endpoint

FULL = {
    "types": ("post.failed", "account.active"),
    "former_secret": "former",
    "former_until": NOW + 0.5,
    "took_at": NOW + 0.25,
    "disabled_at": NOW + 1,
    "disabled_because": "Gone.",
}


def key_of(delivery: Delivery) -> DeliveryKey:
    return DeliveryKey(endpoint_id=delivery.endpoint_id, notice_id=delivery.notice_id)


# Endpoints
@pytest.mark.parametrize("changes", [{}, FULL])
def test_an_added_endpoint_reads_back_as_it_was(ports, changes):
    endpoint = an_endpoint(**changes)
    ports.endpoints.add(endpoint)
    ports.endpoints.add(endpoint)
    assert ports.endpoints.get(endpoint.endpoint_id) == endpoint
    assert ports.endpoints.get("nobody") is None


def test_a_workspaces_endpoints_are_listed_oldest_first_and_no_others(ports):
    mine = [an_endpoint(created_at=NOW + at) for at in (2, 0, 1)]
    for endpoint in (*mine, an_endpoint(workspace_id="workspace-2")):
        ports.endpoints.add(endpoint)
        ports.endpoints.begin(a_delivery(endpoint_id=endpoint.endpoint_id))
    assert list(ports.endpoints.of_workspace("workspace-1")) == sorted(mine, key=lambda one: one.created_at)
    assert list(ports.endpoints.of_workspace("nobody")) == []


def test_of_two_changes_of_the_same_version_one_wins(ports):
    endpoint = an_endpoint(**FULL)
    ports.endpoints.add(endpoint)
    changed = endpoint.model_copy(update={"disabled_at": None, "disabled_because": ""})
    stored = ports.endpoints.save(changed)
    assert stored == changed.model_copy(update={"version": 1}) == ports.endpoints.get(endpoint.endpoint_id)
    with pytest.raises(Busy):
        ports.endpoints.save(endpoint)


def test_a_removed_endpoint_is_gone_and_a_late_change_brings_it_not_back(ports):
    endpoint = an_endpoint()
    ports.endpoints.add(endpoint)
    ports.endpoints.remove(endpoint.endpoint_id)
    ports.endpoints.remove(endpoint.endpoint_id)
    with pytest.raises(Busy):
        ports.endpoints.save(endpoint)
    assert ports.endpoints.get(endpoint.endpoint_id) is None
    assert list(ports.endpoints.of_workspace("workspace-1")) == []


# Deliveries
def test_a_delivery_reads_back_as_it_was(ports):
    attempt = Try(at=NOW, status=500, milliseconds=7, error="It answered 500.")
    delivery = tried(a_delivery(body='{"text":"Grüße"}'), attempt, NOW + 0.125, 0.5)
    ports.endpoints.begin(delivery)
    assert ports.endpoints.delivery(key_of(delivery)) == delivery
    assert ports.endpoints.delivery(DeliveryKey(endpoint_id="endpoint-2", notice_id=delivery.notice_id)) is None


def test_a_delivery_that_is_known_stays_as_it_is(ports):
    delivery = a_delivery()
    ports.endpoints.begin(delivery)
    moved = ports.endpoints.move(leased(delivery, NOW))
    ports.endpoints.begin(delivery)
    assert ports.endpoints.delivery(key_of(delivery)) == moved


def test_of_24_workers_one_takes_a_delivery(ports, race):
    delivery = a_delivery()
    ports.endpoints.begin(delivery)
    answers = race(lambda _: ports.endpoints.move(leased(delivery, NOW)), 24)
    assert len([answer for answer in answers if isinstance(answer, Delivery)]) == 1
    assert len([answer for answer in answers if isinstance(answer, Busy)]) == 23


def test_deliveries_are_due_from_their_watch_time_on_the_longest_overdue_first_until_they_end(ports):
    deliveries = [a_delivery(watch_at=NOW + at) for at in (3, 1, 2, 9)]
    for delivery in deliveries:
        ports.endpoints.begin(delivery)
    late, first, second, _ = map(key_of, deliveries)
    assert list(ports.endpoints.due(NOW + 3, 9)) == [first, second, late]
    assert list(ports.endpoints.due(NOW + 3, 2)) == [first, second]
    assert list(ports.endpoints.due(NOW + 0.5, 9)) == []
    taken = Try(at=NOW, status=204, milliseconds=7)
    assert ports.endpoints.move(tried(deliveries[1], taken, NOW + 3, 0)).state is DeliveryState.DELIVERED
    ports.endpoints.move(leased(deliveries[2], NOW + 3))
    assert list(ports.endpoints.due(NOW + 4, 9)) == [late]


def test_deliveries_are_listed_newest_first_page_by_page(ports):
    deliveries = [a_delivery(created_at=NOW + number) for number in range(5)]
    for delivery in (*deliveries, a_delivery(endpoint_id="endpoint-2")):
        ports.endpoints.begin(delivery)
    found, cursor = [], None
    while True:
        page = ports.endpoints.deliveries("endpoint-1", 2, cursor)
        found += page.deliveries
        assert len(page.deliveries) <= 2
        if (cursor := page.cursor) is None:
            break
    assert found == deliveries[::-1]
    assert ports.endpoints.deliveries("nobody", 2, None).deliveries == ()


def test_a_cursor_counts_for_its_endpoint_only_and_a_garbled_one_for_none(ports):
    for number in range(3):
        ports.endpoints.begin(a_delivery(created_at=NOW + number))
    cursor = ports.endpoints.deliveries("endpoint-1", 1, None).cursor
    for endpoint_id, text in (("endpoint-2", cursor), ("endpoint-1", "garbage"), ("endpoint-1", "")):
        with pytest.raises(InvalidRequest) as refused:
            ports.endpoints.deliveries(endpoint_id, 1, text)
        assert refused.value.field == "cursor"


def test_a_delivery_is_forgotten_after_thirty_days(ports):
    delivery = a_delivery()
    ports.endpoints.begin(delivery)
    ports.clock.time = NOW + 30 * 86400 - 1
    assert ports.endpoints.delivery(key_of(delivery)) == delivery
    ports.clock.time = NOW + 30 * 86400
    assert ports.endpoints.delivery(key_of(delivery)) is None


# On AWS alone
def test_a_change_whose_answer_is_lost_counts(aws_ports):
    endpoint, delivery = an_endpoint(), a_delivery()
    aws_ports.endpoints.add(endpoint)
    aws_ports.endpoints.begin(delivery)
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    assert aws_ports.endpoints.save(endpoint).version == 1
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    assert aws_ports.endpoints.move(delivery).version == 1
