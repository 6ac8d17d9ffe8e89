"""Webhooks over HTTP: what their owner may do, what is refused, and what is never shown."""

import json

import pytest

from publisher.domain.endpoints import TYPES
from publisher.domain.errors import Busy, ServiceUnavailable
from publisher.ports import Reply
from publisher.use_cases.deliver import deliver
from tests.fakes import FakePorts
from tests.unit.conftest import Http, HttpAnswer, assert_failed

URL = "https://hooks.example/tiktok"


def add(http: Http, **body: object) -> HttpAnswer:
    return http.call("POST", "/v2/webhooks", {"url": URL, **body})


def added(http: Http, **body: object) -> str:
    answer = add(http, **body)
    assert answer.status == 201, answer.body
    return str(answer.json["webhookId"])


def edit(http: Http, webhook_id: str, **body: object) -> HttpAnswer:
    return http.call("PATCH", f"/v2/webhooks/{webhook_id}", body)


def do(http: Http, webhook_id: str, what: str) -> HttpAnswer:
    return http.call("POST", f"/v2/webhooks/{webhook_id}/{what}", {})


def run(ports: FakePorts) -> None:
    deliver(ports, None, seconds_left=lambda: 100)


def log(http: Http, webhook_id: str, **query: str) -> HttpAnswer:
    return http.get(f"/v2/webhooks/{webhook_id}/deliveries", query=query)


# Make, show, list
def test_a_new_webhook_shows_its_secret_once_and_nobody_sees_it_again(http, ports):
    answer = add(http)
    made = answer.json
    secret = made.pop("secret")
    assert (answer.status, made) == (
        201,
        {
            "webhookId": made["webhookId"],
            "url": URL,
            "events": list(TYPES),
            "enabled": True,
            "disabledAt": None,
            "disabledReason": None,
            "lastDeliveredAt": None,
            "formerSecretUntil": None,
            "createdAt": made["createdAt"],
            "updatedAt": made["createdAt"],
        },
    )
    assert http.get(f"/v2/webhooks/{made['webhookId']}").json == made
    assert http.get("/v2/webhooks").json == {"webhooks": [made]}
    assert secret not in str(ports.endpoints._endpoints)


def test_a_webhook_may_choose_its_events(http):
    assert add(http, events=["post.failed", "account.reauthorize", "post.failed"]).json["events"] == [
        "post.failed",
        "account.reauthorize",
    ]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"url": None}, "url", "MissingParameter"),
        ({"url": "http://hooks.example/"}, "url", "InvalidRequest"),
        ({"url": "https://127.0.0.1/"}, "url", "InvalidRequest"),
        ({"url": "https://hooks.example:8443/"}, "url", "InvalidRequest"),
        ({"url": 5}, "url", "InvalidRequest"),
        ({"events": []}, "events", "InvalidRequest"),
        ({"events": ["post.exploded"]}, "events", "InvalidRequest"),
        ({"events": ["endpoint.test"]}, "events", "InvalidRequest"),
        ({"events": "post.failed"}, "events", "InvalidRequest"),
        ({"secret": "whsec_mine"}, "secret", "InvalidRequest"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(http, body, field, code):
    answer = add(http, **body)
    assert_failed(answer, 400, code)
    assert field in answer.json["error"]
    assert http.get("/v2/webhooks").json == {"webhooks": []}


def test_an_origin_that_the_operator_trusts_may_be_local(http, ports):
    ports.trusted_media_origins = ("http://127.0.0.1:9000",)
    assert add(http, url="http://127.0.0.1:9000/hook").status == 201


def test_a_workspace_has_at_most_ten_webhooks(http):
    ids = [added(http) for _ in range(10)]
    assert_failed(add(http), 409, "InvalidRequest")
    removed = http.call("DELETE", f"/v2/webhooks/{ids[0]}")
    assert (removed.status, removed.json["success"], removed.json["webhookId"]) == (200, True, ids[0])
    assert add(http).status == 201
    other = http.make_key(workspace_id="workspace-2")
    assert http.call("POST", "/v2/webhooks", {"url": URL}, key=other).status == 201


# Change, remove
def test_what_is_left_out_of_a_change_stays(http):
    webhook_id = added(http, events=["post.failed"])
    assert edit(http, webhook_id, url="https://other.example/").json["events"] == ["post.failed"]
    changed = edit(http, webhook_id, events=["post.published"]).json
    assert (changed["url"], changed["events"]) == ("https://other.example/", ["post.published"])
    assert edit(http, webhook_id, events=None).json["events"] == list(TYPES)
    assert edit(http, webhook_id).status == 200


def test_a_change_that_cannot_be_changes_nothing(http):
    webhook_id = added(http)
    before = http.get(f"/v2/webhooks/{webhook_id}").json
    for body in ({"url": "ftp://x.example/"}, {"url": None}, {"events": ["no"]}, {"enabled": "yes"}, {"name": "x"}):
        assert_failed(
            edit(http, webhook_id, **body), 400, "MissingParameter" if body == {"url": None} else "InvalidRequest"
        )
    assert http.get(f"/v2/webhooks/{webhook_id}").json == before


def test_an_owner_may_stop_a_webhook_and_let_it_go_on(http):
    webhook_id = added(http)
    stopped = edit(http, webhook_id, enabled=False).json
    assert (stopped["enabled"], stopped["disabledReason"] is None) == (False, False)
    assert_failed(do(http, webhook_id, "test"), 409, "InvalidRequest")
    going = edit(http, webhook_id, enabled=True).json
    assert (going["enabled"], going["disabledAt"], going["disabledReason"]) == (True, None, None)
    assert do(http, webhook_id, "test").status == 202


@pytest.mark.parametrize("lost", [1, 7])
def test_a_change_at_the_same_time_as_another_one_is_made_again(http, ports, lost):
    webhook_id = added(http)
    for _ in range(lost):
        ports.endpoints.faults.before("save", Busy("Another worker was faster.", "Again."))
    assert edit(http, webhook_id, enabled=False).json["enabled"] is False


def test_a_removed_webhook_is_gone(http):
    webhook_id = added(http)
    http.call("DELETE", f"/v2/webhooks/{webhook_id}")
    assert_failed(http.call("DELETE", f"/v2/webhooks/{webhook_id}"), 404, "NotFound")
    assert_failed(edit(http, webhook_id, enabled=True), 404, "NotFound")
    assert_failed(log(http, webhook_id), 404, "NotFound")


def test_a_new_secret_is_shown_once_and_says_how_long_the_former_one_counts(http):
    made = add(http).json
    rotated = do(http, made["webhookId"], "rotate-secret").json
    assert rotated["secret"] not in (made["secret"], None)
    assert rotated["formerSecretUntil"] > rotated["updatedAt"]
    assert "secret" not in http.get(f"/v2/webhooks/{made['webhookId']}").json


# Try, look, send again
def test_a_test_is_sent_to_a_webhook_whatever_it_chose(http, ports):
    webhook_id = added(http, events=["post.failed"])
    began = do(http, webhook_id, "test")
    assert (began.status, began.json["type"], began.json["state"], began.json["tries"]) == (
        202,
        "endpoint.test",
        "PENDING",
        [],
    )
    run(ports)
    (sent,) = ports.sender.sent
    assert (sent.url, json.loads(sent.body)["type"]) == (URL, "endpoint.test")
    (delivered,) = log(http, webhook_id).json["deliveries"]
    assert delivered == {
        "deliveryId": sent.headers["webhook-id"],
        "type": "endpoint.test",
        "state": "DELIVERED",
        "createdAt": began.json["createdAt"],
        "nextTryAt": None,
        "tries": [{"at": began.json["createdAt"], "status": 204, "milliseconds": 250, "error": None}],
    }
    assert http.get(f"/v2/webhooks/{webhook_id}").json["lastDeliveredAt"] is not None


def test_a_test_that_nobody_is_called_for_is_sent_by_the_next_run(http, ports):
    webhook_id = added(http)
    ports.courier.faults.before("nudge", ServiceUnavailable("Lambda did not answer.", "Again."))
    assert do(http, webhook_id, "test").status == 202
    run(ports)
    assert log(http, webhook_id).json["deliveries"][0]["state"] == "DELIVERED"


def test_what_did_not_arrive_says_why_and_when_it_is_tried_next_and_can_be_sent_again(http, ports):
    webhook_id = added(http)
    do(http, webhook_id, "test")
    ports.sender.replies.append(Reply(status=None, error="It could not be reached."))
    run(ports)
    (failed,) = log(http, webhook_id).json["deliveries"]
    assert (failed["state"], failed["tries"][0]["error"]) == ("PENDING", "It could not be reached.")
    assert failed["nextTryAt"] > failed["createdAt"]
    ports.sender.usual = Reply(status=500)
    for _ in range(9):
        ports.clock.time += 80_000
        run(ports)
    assert log(http, webhook_id).json["deliveries"][0]["state"] == "FAILED"
    assert http.get(f"/v2/webhooks/{webhook_id}").json["disabledReason"] == "It took nothing for 72 hours."
    ports.sender.usual = Reply(status=204)
    edit(http, webhook_id, enabled=True)
    again = do(http, webhook_id, f"deliveries/{failed['deliveryId']}/redeliver")
    assert (again.status, again.json["state"], again.json["deliveryId"]) == (202, "PENDING", failed["deliveryId"])
    run(ports)
    (sent,) = log(http, webhook_id).json["deliveries"]
    assert (sent["state"], sent["tries"][-1]["status"]) == ("DELIVERED", 204)


def test_a_webhook_is_tried_once_at_a_time(http, ports):
    webhook_id, other = added(http), added(http)
    assert do(http, webhook_id, "test").status == 202
    assert_failed(do(http, webhook_id, "test"), 409, "InvalidRequest")
    assert do(http, other, "test").status == 202
    ports.sender.usual = Reply(status=500, error=None)
    deliver(ports, None, seconds_left=lambda: 100.0)
    assert do(http, webhook_id, "test").status == 202


def test_the_log_comes_page_by_page_newest_first(http, ports):
    webhook_id = added(http)
    ids = []
    for _ in range(5):
        ports.clock.time += 1
        ids.append(do(http, webhook_id, "test").json["deliveryId"])
        deliver(ports, None, seconds_left=lambda: 100.0)
    found, query = [], {"limit": "2"}
    while True:
        page = log(http, webhook_id, **query).json
        found += [delivery["deliveryId"] for delivery in page["deliveries"]]
        if page["cursor"] is None:
            break
        query["cursor"] = page["cursor"]
    assert found == ids[::-1]
    assert_failed(log(http, webhook_id, limit="0"), 400, "InvalidRequest")
    assert_failed(log(http, webhook_id, cursor="x"), 400, "InvalidRequest")
    assert_failed(log(http, webhook_id, status="FAILED"), 400, "InvalidRequest")


@pytest.mark.parametrize("name", ["msg_" + "0" * 32, "nothing", "msg_" + "é" * 32])
def test_a_delivery_that_never_was_cannot_be_sent_again(http, name):
    webhook_id = added(http)
    assert_failed(do(http, webhook_id, f"deliveries/{name}/redeliver"), 404, "NotFound")


def test_a_disabled_webhook_gets_nothing_again(http, ports):
    webhook_id = added(http)
    delivery_id = do(http, webhook_id, "test").json["deliveryId"]
    edit(http, webhook_id, enabled=False)
    assert_failed(do(http, webhook_id, f"deliveries/{delivery_id}/redeliver"), 409, "InvalidRequest")


def test_another_webhooks_delivery_is_none_of_this_one(http):
    first, second = added(http), added(http)
    delivery_id = do(http, first, "test").json["deliveryId"]
    assert_failed(do(http, second, f"deliveries/{delivery_id}/redeliver"), 404, "NotFound")
    assert log(http, second).json == {"deliveries": [], "cursor": None}
