"""Keep the options that an account's owner chose for posts that give none."""

from publisher.api import OptionsRequest, read_body
from publisher.domain.accounts import Account
from publisher.domain.errors import Busy, InvalidPost
from publisher.domain.limits import CONFLICT_TURNS
from publisher.domain.rules import photo_problems, privacy_problems
from publisher.ports import Ports
from publisher.use_cases.load_account import load_account


def set_defaults(ports: Ports, workspace_id: str, account_id: str, body: object) -> Account:
    """Replace the account's defaults; InvalidPost for options that no post could have.

    What the creator may choose is checked with each post, because it changes.
    """
    given = read_body(OptionsRequest, body, "PUT /v2/accounts/{id}/defaults")
    options = given.options()
    problems = [*privacy_problems(options, given.privacy_level, None, has_default=True), *photo_problems(options, 0)]
    if problems:
        raise InvalidPost(problems)
    for turns_left in reversed(range(CONFLICT_TURNS)):
        account = load_account(ports, workspace_id, account_id)
        update = {"defaults": options, "updated_at": ports.clock.now()}
        try:
            return ports.accounts.save(account.model_copy(update=update))
        except Busy:
            if not turns_left:
                raise
    raise AssertionError("the last turn returns or raises")
