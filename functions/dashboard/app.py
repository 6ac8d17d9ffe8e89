"""The dashboard, the contract and its page: files for browsers. Also the health check."""

from pathlib import Path

from publisher.api import HealthAnswer
from publisher.browser import asset_answer, contract_answer, page_answer
from publisher.static_files import StaticFiles
from publisher.web import Answer, Api, Call, File, json_answer

api = Api()
handler = api.handler
files = StaticFiles(Path(__file__).parent / "static")


@api.public("GET", "/")
@api.public("GET", "/docs")
def page(call: Call) -> File:
    """Give the dashboard, or the contract as a page."""
    return page_answer(call, files)


@api.public("GET", "/openapi.json")
def contract(call: Call) -> File:
    """Give the contract as OpenAPI 3.1."""
    return contract_answer(call, files)


@api.public("GET", "/assets/{version}/{name}")
@api.public("GET", "/assets/{version}/{folder}/{name}")
def asset(call: Call) -> File:
    """Give a file that a page loads."""
    return asset_answer(call, files)


@api.public("GET", "/health")
def health(_: Call) -> Answer:
    """Say that the API answers."""
    return json_answer(200, HealthAnswer())
