"""The port Executions."""

import json

import pytest

from publisher.domain.errors import ServiceUnavailable
from publisher.domain.posts import execution_name
from tests.builders import a_post


def test_a_started_execution_is_running(ports):
    post = a_post()
    assert not ports.executions.running(post)
    ports.executions.start(post)
    assert ports.executions.running(post)


def test_starting_again_is_the_same_execution(ports):
    post = a_post()
    ports.executions.start(post)
    ports.executions.start(post)
    assert ports.executions.running(post)


def test_another_revision_is_another_execution(ports):
    post = a_post()
    ports.executions.start(post)
    assert not ports.executions.running(post.model_copy(update={"revision": 1}))


def test_an_ended_execution_is_not_running_and_is_not_started_again(ports):
    post = a_post()
    ports.executions.start(post)
    end(ports, post)
    assert not ports.executions.running(post)
    ports.executions.start(post)
    assert not ports.executions.running(post)


def end(ports, post):
    if hasattr(ports, "aws"):
        ports.aws.clients["stepfunctions"].stop_execution(executionArn=arn(ports, post))
    else:
        ports.executions.end(post)


def arn(ports, post):
    return f"{ports.aws.machine.replace('stateMachine', 'execution')}:{execution_name(post)}"


# Step Functions
def test_an_execution_is_told_ids_only(aws_ports):
    post = a_post(text="a caption")
    aws_ports.executions.start(post)
    told = aws_ports.aws.clients["stepfunctions"].describe_execution(executionArn=arn(aws_ports, post))["input"]
    ids = {"postId": post.post_id, "accountId": post.account_id, "execution": execution_name(post)}
    assert json.loads(told) == ids


def test_a_start_whose_answer_was_lost_is_a_start(aws_ports):
    post = a_post()
    aws_ports.aws.lose_answer("stepfunctions", "StartExecution")
    aws_ports.executions.start(post)
    assert aws_ports.executions.running(post)


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded"])
def test_a_start_that_is_refused_for_now_can_be_tried_later(aws_ports, code):
    aws_ports.aws.answer("stepfunctions", "StartExecution", 400, {"__type": code})
    with pytest.raises(ServiceUnavailable):
        aws_ports.executions.start(a_post())
