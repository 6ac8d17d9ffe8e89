"""README says what is so."""

import json
import re
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from local.readme import ROOT, render

README = ROOT / "README.md"


def test_the_picture_and_the_tables_are_those_of_the_code():
    text = README.read_text()
    assert text == render(text), "run make readme"


def test_the_picture_has_every_arrow_of_the_machine_and_no_other():
    (picture,) = re.findall(r"```mermaid\n(.*?)```", README.read_text(), re.DOTALL)
    drawn = set(re.findall(r"(\S+) --> (\S+)", picture))
    machine = json.loads((ROOT / "statemachine/publish_post.asl.json").read_text())
    there = {("[*]", machine["StartAt"])}
    for name, state in machine["States"].items():
        targets = [
            state.get("Next"),
            state.get("Default"),
            "[*]" if state.get("End") or state["Type"] == "Succeed" else None,
        ]
        targets += [rule["Next"] for rule in (*state.get("Choices", []), *state.get("Catch", []))]
        there |= {(name, target) for target in targets if target}
    assert drawn == there


def test_its_parts_stand_in_the_order_of_a_newcomers_questions():
    headings = re.findall(r"^## (.*)$", README.read_text(), re.MULTILINE)
    assert headings == [
        "The machine",
        "Run it",
        "The dashboard",
        "Publish a post",
        "From Python and the command line",
        "Connect your own TikTok app",
        "API",
        "Limits",
        "What each function may do",
        "Deploy",
        "Scale",
        "Develop",
        "Decisions",
    ]


def test_it_names_every_route_of_the_template():
    template = yaml_parse((ROOT / "template.yaml").read_text())
    events = [
        event["Properties"]
        for resource in template["Resources"].values()
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    text = README.read_text()
    assert [event["Path"] for event in events if f"{event['Method']} {event['Path']}" not in text] == []


def test_every_make_target_that_it_names_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", README.read_text())) <= targets


def test_every_file_that_it_links_or_names_exists():
    named = re.findall(
        r"`((?:functions|layers|statemachine|local|tests)/[\w./-]*)`|\]\(([^)#:]+)\)", README.read_text()
    )
    missing = [path for pair in named for path in pair if path and not (ROOT / Path(path)).exists()]
    assert missing == []
