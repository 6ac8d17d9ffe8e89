"""Faults on demand: the next calls of an endpoint fail as ordered, before or after their effect."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Endpoint = Literal[
    "authorize",
    "token",
    "revoke",
    "user_info",
    "video/list",
    "video/query",
    "avatar",
    "cover",
    "creator_info",
    "video/init",
    "inbox/video/init",
    "content/init",
    "status",
    "cancel",
    "upload",
    "pull",
]
"""The sandbox's names of TikTok's endpoints, in faults and in the log; `avatar` and `cover`
are the hosts of `avatar_url` and `cover_image_url`, `pull` is its own GET of a media URL."""


class Status(BaseModel):
    """Answer with this HTTP status; a string body is sent as it is, anything else as JSON."""

    model_config = ConfigDict(extra="forbid")

    status: Annotated[int, Field(ge=200, le=599)]
    body: Any = ""
    headers: dict[str, str] = {}


class Code(BaseModel):
    """Answer with this error code of TikTok, in the endpoint's own error shape and with the code's HTTP status."""

    model_config = ConfigDict(extra="forbid")

    code: str
    message: str | None = None


Action = Literal["reset", "drop", "timeout", "cut_json", "html", "unknown_code"]
"""reset: TCP reset · drop: close without an answer · timeout: hold, then close · cut_json: half of the JSON ·
html: 502 with a web page · unknown_code: an error code nobody has documented."""


class Fault(BaseModel):
    """Spare `skip` calls of `endpoint`, then spoil `times` calls, `before` or `after` they take effect."""

    model_config = ConfigDict(extra="forbid")

    endpoint: Endpoint
    do: Action | Status | Code
    when: Literal["before", "after"] = "before"
    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse what cannot happen to a call that the sandbox makes itself."""
        if self.endpoint == "pull" and self.do not in ("reset", "drop", "timeout"):
            raise ValueError("a pull can only be lost: reset, drop or timeout")
        return self

    def label(self) -> str:
        """How the log names the fault."""
        what = self.do if isinstance(self.do, str) else self.do.model_dump_json(include={"status", "code"})
        return f"{what} {self.when}"


def take(faults: list[Fault], endpoint: str) -> Fault | None:
    """Count one call of `endpoint` against the faults; the first one due, used up once, or None."""
    due: Fault | None = None
    for fault in [fault for fault in faults if fault.endpoint == endpoint]:
        if fault.skip:
            fault.skip -= 1
        elif due is None:
            due = fault
    if due is None:
        return None
    spoiled = due.model_copy()
    due.times -= 1
    if not due.times:
        faults.remove(due)
    return spoiled
