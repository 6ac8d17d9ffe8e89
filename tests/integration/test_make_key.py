"""`make key` makes a key of a stack in AWS, which it finds by the stack's own outputs."""

import json
import sys

import boto3
import pytest
from samtranslator.yaml_helper import yaml_parse

from local import key
from local.processes import ROOT
from publisher.aws.keys import DynamoKeys
from publisher.domain.keys import SCOPES, split_key
from tests.fakes import FakeClock


@pytest.fixture
def deployed(aws):
    """A stack with template.yaml's table of keys and its output."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    only_keys = {
        "Resources": {"KeysTable": template["Resources"]["KeysTable"]},
        "Outputs": {"KeysTableName": template["Outputs"]["KeysTableName"]},
    }
    boto3.client("cloudformation").create_stack(StackName="publisher", TemplateBody=json.dumps(only_keys))


def test_a_key_of_a_stack_in_aws_is_printed_once_and_opens_it(deployed, aws, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["key", "--stack", "publisher", "--name", "first"])
    assert key.main() == 0
    text = capsys.readouterr().out.strip()
    table = boto3.client("cloudformation").describe_stacks(StackName="publisher")["Stacks"][0]["Outputs"][0]
    parts = split_key(text)
    assert parts is not None
    clock = FakeClock()
    found = DynamoKeys(boto3.client("dynamodb"), table["OutputValue"], clock).get(parts[0])
    assert found is not None
    assert (found.name, found.scopes, found.opens(parts[1], clock.now())) == ("first", SCOPES, True)


def test_a_stack_that_is_not_there_is_one_sentence(aws, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["key", "--stack", "nobody"])
    assert key.main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("The stack nobody cannot be read")
