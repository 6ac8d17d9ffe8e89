"""The port Schedules."""

import json
import math
from uuid import uuid4

import pytest

from publisher.domain.errors import InternalServerError, ServiceUnavailable
from tests.builders import NOW

POST = str(uuid4())


def planned(ports):
    """What is to happen: ids of posts, each with its whole second."""
    if not hasattr(ports, "aws"):
        return ports.schedules.planned
    scheduler, group = ports.aws.clients["scheduler"], ports.aws.schedule_group
    names = [schedule["Name"] for schedule in scheduler.list_schedules(GroupName=group)["Schedules"]]
    return {(post_id, int(second)) for post_id, _, second in (name.rpartition("-") for name in names)}


# Every scheduler
def test_a_post_is_planned_for_its_second(ports):
    ports.schedules.put(POST, NOW)
    assert planned(ports) == {(POST, int(NOW))}


def test_a_fraction_of_a_second_is_rounded_up_so_that_no_post_is_early(ports):
    ports.schedules.put(POST, NOW + 0.001)
    assert planned(ports) == {(POST, int(NOW) + 1)}
    ports.schedules.remove(POST, NOW + 0.001)
    assert planned(ports) == set()


def test_planning_again_plans_once(ports):
    ports.schedules.put(POST, NOW)
    ports.schedules.put(POST, NOW)
    assert planned(ports) == {(POST, int(NOW))}


def test_a_post_that_was_moved_is_planned_for_both_times_until_one_is_taken_back(ports):
    ports.schedules.put(POST, NOW)
    ports.schedules.put(POST, NOW + 60)
    ports.schedules.remove(POST, NOW)
    assert planned(ports) == {(POST, int(NOW) + 60)}


def test_taking_back_what_is_not_planned_any_more_is_no_error(ports):
    ports.schedules.remove(POST, NOW)
    ports.schedules.put(POST, NOW)
    ports.schedules.remove(POST, NOW)
    ports.schedules.remove(POST, NOW)
    assert planned(ports) == set()


def test_each_post_has_its_own_schedule(ports):
    other = str(uuid4())
    ports.schedules.put(POST, NOW)
    ports.schedules.put(other, NOW)
    ports.schedules.remove(POST, NOW)
    assert planned(ports) == {(other, int(NOW))}


# EventBridge Scheduler
def test_a_schedule_calls_its_target_once_with_the_posts_id_in_utc_and_is_gone_then(aws_ports):
    aws_ports.schedules.put(POST, 1_790_000_000.5)
    schedule = aws_ports.aws.clients["scheduler"].get_schedule(GroupName="posts", Name=f"{POST}-1790000001")
    assert schedule["ScheduleExpression"] == "at(2026-09-21T14:13:21)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["ActionAfterCompletion"] == "DELETE"
    target = schedule["Target"]
    assert json.loads(target["Input"]) == {"postId": POST}
    assert target["Arn"].endswith(":function:due")
    assert target["RoleArn"].endswith(":role/schedules")
    assert target["DeadLetterConfig"]["Arn"].endswith(":dead-letters")
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600}


def test_a_name_is_one_that_eventbridge_takes_until_the_year_5138(aws_ports):
    """It takes 64 characters. https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"""
    assert len(f"{uuid4()}-{10**11}") <= 64
    aws_ports.schedules.put(POST, math.nextafter(NOW, math.inf))
    assert planned(aws_ports) == {(POST, int(NOW) + 1)}


def test_a_plan_whose_answer_was_lost_is_a_plan(aws_ports):
    aws_ports.aws.lose_answer("scheduler", "CreateSchedule")
    aws_ports.schedules.put(POST, NOW)
    assert planned(aws_ports) == {(POST, int(NOW))}


def test_a_removal_whose_answer_was_lost_is_a_removal(aws_ports):
    aws_ports.schedules.put(POST, NOW)
    aws_ports.aws.lose_answer("scheduler", "DeleteSchedule")
    aws_ports.schedules.remove(POST, NOW)
    assert planned(aws_ports) == set()


@pytest.mark.parametrize("operation", ["CreateSchedule", "DeleteSchedule"])
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(429, "ThrottlingException", ServiceUnavailable), (403, "AccessDeniedException", InternalServerError)],
)
def test_what_is_refused_raises(aws_ports, operation, status, code, error):
    aws_ports.aws.answer("scheduler", operation, status, {"__type": code})
    act = aws_ports.schedules.put if operation == "CreateSchedule" else aws_ports.schedules.remove
    with pytest.raises(error, match=f"EventBridge Scheduler .*{code}"):
        act(POST, NOW)
