"""What the state machine and its steps say to each other: ids and decisions, never content."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from publisher.domain.errors import Failure

NextState = Literal[
    "ConvertPhotos",
    "InitializePost",
    "WaitForTurn",
    "UploadChunks",
    "WaitForTikTok",
    "RecordPublished",
    "RecordFailure",
    "Held",
]


class StepError(BaseModel):
    """An error as the machine catches it: the class's name, and a cause that holds our failure as JSON."""

    name: str = Field(alias="Error")
    cause: str = Field(alias="Cause", default="")

    def failure(self) -> Failure:
        """Return our failure; for an error that is not ours (a timeout, a killed worker) one that says so."""
        try:
            return Failure.model_validate_json(json.loads(self.cause)["errorMessage"])
        except (ValueError, KeyError, TypeError, ValidationError):
            return Failure(
                name=self.name,
                code="InternalServerError",
                error="A step of the publication did not finish.",
                message="Try again; if it happens again, tell the operator the postSubmissionId.",
                retryable=True,
            )


class StepInput(BaseModel):
    """Input of every step; `error` is there when a failed step leads here."""

    model_config = ConfigDict(populate_by_name=True)

    post_id: str = Field(alias="postId")
    account_id: str = Field(alias="accountId")
    execution: str
    error: StepError | None = None


class StepOutput(BaseModel):
    """Answer of every step: which state follows, where the machine leaves that open, and how long it waits first."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    next: NextState
    wait_seconds: int = Field(alias="waitSeconds", default=0)
