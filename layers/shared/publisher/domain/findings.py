"""What the operator's check finds."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

type FindingStatus = Literal["ok", "warning", "failed", "unknown"]


class Finding(BaseModel):
    """One thing that was looked at: what was found, and what to do; `advice` is empty when there is nothing to do.

    `unknown` is what cannot be found out from here: the advice says who can look, and where.
    """

    model_config = ConfigDict(frozen=True)

    check: str
    status: FindingStatus
    finding: str
    advice: str = ""
