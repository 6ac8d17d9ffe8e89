"""The error tree: what is drawn is what is there, each class says when, and each code is a documented one."""

import re

import pytest

from publisher.domain import errors
from publisher.domain.errors import (
    InvalidPost,
    MissingParameter,
    PublisherError,
    RequestInvalid,
    TextTooLong,
    TikTokRefused,
    TryAgain,
)

DOCUMENTED = {
    *("InvalidApiKey", "InvalidAccountId", "AccountDisabled", "TokenExpired", "InvalidToken", "InvalidRequest"),
    *("MissingParameter", "InvalidPlatform", "MediaDownloadFailed", "InvalidMediaType", "InvalidMediaUrl"),
    *("MediaTooLarge", "MediaRequired", "TextTooLong", "RateLimitExceeded", "PublishingFailed"),
    *("VideoProcessingFailed", "Timeout", "ServiceUnavailable", "InternalServerError"),
}
"""The codes of the documented API."""
OURS = {"NotFound", "InsufficientScope", "ForgedRequest", "InvalidSignature"}
"""For what it has no code: objects by id, scopes of keys, sessions of browsers, and TikTok's events."""
FAMILIES = {RequestInvalid, TikTokRefused, TryAgain}


def kinds(parent: type[PublisherError]):
    for kind in parent.__subclasses__():
        yield kind
        yield from kinds(kind)


ALL = sorted(set(kinds(PublisherError)), key=lambda kind: kind.__name__)


def drawn() -> dict[str, str]:
    """Parents by name, read from the drawing at the top of the module."""
    parents, path = {}, ["PublisherError"]
    for line in (errors.__doc__ or "").splitlines():
        branch = re.match(r"^([│ ]*)[├└]── (\w+)", line)
        if branch:
            depth = len(branch[1]) // 4 + 1
            parents[branch[2]] = path[depth - 1]
            path[depth:] = [branch[2]]
    return parents


def test_the_drawn_tree_is_the_tree():
    assert drawn() == {kind.__name__: kind.__bases__[0].__name__ for kind in ALL}


def test_all_errors_live_in_the_one_module():
    assert {kind.__module__ for kind in ALL} == {"publisher.domain.errors"}


@pytest.mark.parametrize("kind", [PublisherError, *ALL])
def test_a_class_says_when_it_happens(kind):
    assert (kind.__dict__["__doc__"] or "").strip(), "it has no docstring of its own"


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in FAMILIES and kind is not InvalidPost])
def test_a_code_is_a_documented_one(kind):
    assert kind("It happened.", "Do this.").failure().code in DOCUMENTED | OURS


def test_every_documented_code_has_an_error_of_its_name():
    assert {kind.__name__ for kind in ALL if kind.code == kind.__name__} >= DOCUMENTED


@pytest.mark.parametrize("kind", ALL)
def test_only_what_time_mends_is_retryable(kind):
    assert kind.retryable is issubclass(kind, TryAgain)


def test_an_error_carries_what_a_person_needs():
    error = TextTooLong(
        "It happened.",
        "Do this.",
        field="text",
        tiktok_code="code",
        tiktok_log_id="log-1",
        retry_after=5,
        limit="publish",
    )
    assert str(error) == "It happened."
    assert error.failure().model_dump() == {
        "name": "TextTooLong",
        "code": "TextTooLong",
        "error": "It happened.",
        "message": "Do this.",
        "retryable": False,
        "field": "text",
        "tiktok_code": "code",
        "tiktok_log_id": "log-1",
        "retry_after": 5,
        "limit": "publish",
    }


def test_of_several_problems_the_first_speaks():
    problems = [TextTooLong("Too long.", "Shorten it.", field="text"), MissingParameter("Missing.", "Give it.")]
    error = InvalidPost(problems)
    assert error.failure() == problems[0].failure()
    assert error.problems == tuple(problem.failure() for problem in problems)
