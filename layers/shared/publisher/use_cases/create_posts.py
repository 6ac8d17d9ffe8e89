"""Take posts in by the hundred, each by itself."""

from publisher.api import BulkRequest, RowAnswer
from publisher.domain.accounts import Creator
from publisher.domain.errors import InvalidRequest, MissingParameter, PublisherError, Timeout, TryAgain
from publisher.domain.limits import BULK_POSTS, BULK_ROW_SECONDS
from publisher.domain.slots import Usage
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.create_post import accept_post, checked_key
from publisher.use_cases.preview_post import preview_post


def create_posts(
    ports: Ports,
    workspace_id: str,
    request: BulkRequest,
    *,
    idempotency_key: str | None,
    seconds_left: SecondsLeft,
) -> list[RowAnswer]:
    """Accept each row as POST /v2/posts does whose caller does not wait; the answers are in the order of the rows.

    A row that is refused stops no other. With an Idempotency-Key each row has a key of its own, so that the same rows
    may be sent again, whatever became of the first time. A dry run checks, and stores nothing. When the function's
    time runs short the rows that are left are told so, and nothing of them is stored. InvalidRequest without rows, or
    with too many.
    """
    rows = _checked_rows(request)
    bulk = _Bulk(ports, workspace_id, checked_key(idempotency_key), dry_run=request.dry_run)
    answers = []
    for number, row in enumerate(rows, start=1):
        try:
            if seconds_left() < BULK_ROW_SECONDS:
                raise Timeout("There was no time for this row, and nothing of it was stored.", "Send it again.")
            answers.append(bulk.take(number, row, seconds_left()))
        except PublisherError as error:
            answers.append(RowAnswer.refused(number, error.failure(), getattr(error, "problems", ())))
    return answers


class _Bulk:
    """One bulk request: what is known of its accounts so far."""

    def __init__(self, ports: Ports, workspace_id: str, key: str | None, *, dry_run: bool) -> None:
        self._ports, self._workspace_id, self._key, self._dry_run = ports, workspace_id, key, dry_run
        self._creators: dict[str, Creator] = {}
        self._usages: dict[str, Usage] = {}

    def take(self, number: int, row: object, seconds_left: float) -> RowAnswer:
        return self._check(number, row, seconds_left) if self._dry_run else self._accept(number, row, seconds_left)

    def _check(self, number: int, row: object, seconds_left: float) -> RowAnswer:
        post = preview_post(
            self._ports,
            self._workspace_id,
            row,
            seconds_left=seconds_left,
            creators=self._creators,
            usages=self._usages,
        )
        return RowAnswer.of(number, post, stored=False)

    def _accept(self, number: int, row: object, seconds_left: float) -> RowAnswer:
        accepted = accept_post(
            self._ports,
            self._workspace_id,
            row,
            # No key that a caller may send holds a line break, so no single request has this one.
            key=None if self._key is None else f"{self._key}\n{number}",
            seconds_left=seconds_left,
            patient=True,
            creators=self._creators,
        )
        if accepted.replay is not None:
            return RowAnswer.model_validate_json(accepted.replay)
        answer = RowAnswer.of(number, accepted.post, stored=True)
        if accepted.request is not None:
            try:
                self._ports.posts.answer(accepted.request, answer.model_dump_json(by_alias=True))
            except TryAgain:
                return answer  # the post stands, and a repeated row finds it all the same
        return answer


def _checked_rows(request: BulkRequest) -> list[object]:
    if not request.posts:
        raise MissingParameter("posts is empty.", f"Give 1 to {BULK_POSTS} posts.", field="posts")
    if len(request.posts) > BULK_POSTS:
        raise InvalidRequest(
            f"posts holds {len(request.posts)} posts; {BULK_POSTS} are the most.",
            "Make several requests of them.",
            field="posts",
        )
    default = request.queue_if_limited
    if default is None:
        return list(request.posts)
    return [_with_default(row, default=default) for row in request.posts]


def _with_default(row: object, *, default: bool) -> object:
    if not isinstance(row, dict) or row.get("queueIfLimited") is not None:
        return row
    return {**row, "queueIfLimited": default}
