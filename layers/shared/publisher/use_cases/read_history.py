"""Read an account's figures day by day."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from publisher.domain.errors import InvalidRequest
from publisher.domain.history import Day, date_of
from publisher.domain.limits import HISTORY_PAGE_DAYS, HISTORY_USUAL_DAYS
from publisher.ports import Ports
from publisher.use_cases.load_account import load_account

_FIRST = date(2000, 1, 1)
"""Nothing was collected before, and what is long before cannot be reckoned with."""


def read_history(ports: Ports, workspace_id: str, account_id: str, query: Mapping[str, str]) -> Sequence[Day]:
    """Return the days from `since` to `until`, dates of UTC, both included; the last month when none are given.

    NotFound for another workspace's account; TikTok is not asked, so it counts against no limit.
    """
    account = load_account(ports, workspace_id, account_id)
    today = date.fromisoformat(date_of(ports.clock.now()))
    until = _date(query.get("until"), "until") or today
    since = _date(query.get("since"), "since") or until - timedelta(days=HISTORY_USUAL_DAYS)
    if not timedelta() <= until - since < timedelta(days=HISTORY_PAGE_DAYS):
        raise InvalidRequest(
            f"since and until are not 1 to {HISTORY_PAGE_DAYS} days, in this order.", "Ask in parts.", field="since"
        )
    return ports.metrics.days(account.account_id, since.isoformat(), until.isoformat())


def _date(text: str | None, field: str) -> date | None:
    try:
        read = None if text is None else date.fromisoformat(text)
        return read and max(read, _FIRST)
    except ValueError:
        raise InvalidRequest(f"{field} is not a date.", "Write it as 2026-12-24.", field=field) from None
