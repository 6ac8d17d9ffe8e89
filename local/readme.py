"""Write the parts of README.md that are rendered: the machine's picture, its limits, and what each function may do."""

import json
import re
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from publisher.domain import limits

ROOT = Path(__file__).resolve().parent.parent


def render(text: str) -> str:
    """Return the README with its rendered blocks as they have to be; ValueError when a block is missing."""
    machine = json.loads((ROOT / "statemachine/publish_post.asl.json").read_text())
    template = yaml_parse((ROOT / "template.yaml").read_text())
    for name, block in (
        ("machine", _machine(machine)),
        ("states", _states(machine)),
        ("limits", _limits()),
        ("permissions", _permissions(template)),
    ):
        before, mark, after = text.partition(f"<!-- {name}: make readme -->\n")
        _, end, rest = after.partition("<!-- end -->")
        if not (mark and end):
            raise ValueError(f"README.md has no block {name}")
        text = before + mark + block + end + rest
    return text


def _machine(machine: dict[str, Any]) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {machine['StartAt']}"]
    for name, state in machine["States"].items():
        arrows = [(state["Next"], "")] if "Next" in state else []
        arrows += [(choice["Next"], choice["StringEquals"]) for choice in state.get("Choices", [])]
        arrows += [(state["Default"], "anything else")] if "Default" in state else []
        for caught in state.get("Catch", []):
            what = ", ".join("any error" if error == "States.ALL" else error for error in caught["ErrorEquals"])
            arrows.append((caught["Next"], what))
        lines += [f"    {name} --> {target}" + (f" : {why}" if why else "") for target, why in arrows]
        lines += [f"    {name} --> [*]"] if state.get("End") or state["Type"] == "Succeed" else []
    return "\n".join([*lines, "```", ""])


def _states(machine: dict[str, Any]) -> str:
    rows = ["| State | What it is |", "|---|---|"]
    rows += [f"| {name} | {state['Comment']} |" for name, state in machine["States"].items()]
    return "\n".join([*rows, ""])


def _limits() -> str:
    rows = ["| Limit | Number | Source |", "|---|---|---|"]
    for value in vars(limits).values():
        several = dict.fromkeys(value) if isinstance(value, tuple) else [value]
        found = [limit for limit in several if isinstance(limit, limits.Limit)]
        rows += [f"| {limit.meaning} | {int(limit):,} {limit.unit} | {limit.source} |" for limit in found]
    return "\n".join([*rows, ""])


def _permissions(template: dict[str, Any]) -> str:
    rows = ["| Function | May | On |", "|---|---|---|"]
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            allowed = [line for policy in resource["Properties"].get("Policies", []) for line in policy["Statement"]]
            shown = name.removesuffix("Function")
            rows += [f"| {shown} | {', '.join(line['Action'])} | {_place(line['Resource'])} |" for line in allowed]
            rows += [] if allowed else [f"| {shown} | only write its log | |"]
    return "\n".join([*rows, ""])


def _place(resource: object) -> str:
    """Say in short what an ARN in the template is about."""
    if isinstance(resource, dict):
        inner = next(iter(resource.values()))
        return _place(inner[0] if isinstance(inner, list) else inner)
    text = re.sub(r"\$\{AWS::StackName\}-|-?\$\{AWS::AccountId\}|\$\{(\w+)(\.Arn)?\}", r"\1", str(resource))
    return re.split(":::|:(?:stateMachine|execution|function):|:schedule/", text.removesuffix(".Arn"))[-1]


def main() -> None:
    """Write README.md."""
    readme = ROOT / "README.md"
    readme.write_text(render(readme.read_text()))


if __name__ == "__main__":
    main()
