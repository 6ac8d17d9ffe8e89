"""The port Accounts."""

import pytest

from publisher.domain.accounts import Removal
from publisher.domain.errors import Busy
from tests.builders import NOW, a_connection, an_account, sealed_tokens


def test_an_added_account_is_found_by_its_id_and_its_tiktok_user(ports):
    account = an_account()
    ports.accounts.add(account)
    assert ports.accounts.get(account.account_id) == account
    assert ports.accounts.find_open_id(account.open_id) == account


def test_an_event_that_is_not_confirmed_yet_is_kept_until_it_is_followed(ports):
    account = an_account()
    ports.accounts.add(account)
    doubted = ports.accounts.save(account.model_copy(update={"removal": Removal(reason=4, at=NOW + 1 / 3)}))
    assert ports.accounts.get(account.account_id) == doubted
    followed = ports.accounts.save(doubted.model_copy(update={"removal": None}))
    assert ports.accounts.get(account.account_id) == followed
    assert followed.removal is None


def test_what_is_unknown_is_none(ports):
    assert ports.accounts.get("nobody") is None
    assert ports.accounts.find_open_id("nobody") is None
    assert list(ports.accounts.of_workspace("nobody")) == []


def test_a_tiktok_user_is_held_by_one_account(ports):
    first, second = an_account(open_id="open"), an_account(open_id="open", workspace_id="workspace-2")
    ports.accounts.add(first)
    with pytest.raises(Busy):
        ports.accounts.add(second)
    assert ports.accounts.find_open_id("open") == first
    assert ports.accounts.get(second.account_id) is None


def test_of_24_accounts_with_one_tiktok_user_one_is_added(ports, race):
    accounts = [an_account(open_id="open") for _ in range(24)]
    outcomes = race(lambda number: ports.accounts.add(accounts[number]), 24)
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 23
    assert [account for account in accounts if ports.accounts.get(account.account_id)] == [
        ports.accounts.find_open_id("open")
    ]


def test_adding_an_account_again_changes_nothing(ports):
    account = an_account()
    ports.accounts.add(account)
    saved = ports.accounts.save(account.model_copy(update={"username": "later"}))
    ports.accounts.add(account)
    assert ports.accounts.get(account.account_id) == saved


def test_a_workspace_lists_its_own_accounts_oldest_first(ports):
    accounts = [an_account(created_at=NOW + number) for number in (3, 1, 2)]
    for account in (*accounts, an_account(workspace_id="workspace-2")):
        ports.accounts.add(account)
    listed = [account.created_at for account in ports.accounts.of_workspace("workspace-1")]
    assert listed == [NOW + 1, NOW + 2, NOW + 3]


def test_a_disconnected_account_keeps_its_place_without_tokens(ports):
    account = an_account(reauthorize_since=NOW, reauthorize_reason="refused")
    ports.accounts.add(account)
    saved = ports.accounts.save(account.model_copy(update={"tokens": None, "reauthorize_since": None}))
    assert saved.tokens is None
    assert ports.accounts.get(account.account_id) == saved


def test_an_account_that_somebody_else_has_changed_is_not_saved(ports):
    account = an_account()
    ports.accounts.add(account)
    theirs = ports.accounts.save(account.model_copy(update={"tokens": sealed_tokens(ver=2)}))
    with pytest.raises(Busy):
        ports.accounts.save(account)
    assert ports.accounts.get(account.account_id) == theirs


def test_an_account_that_was_never_added_is_not_saved(ports):
    with pytest.raises(Busy):
        ports.accounts.save(an_account())


def test_of_24_workers_that_save_one_version_one_wins(ports, race):
    account = an_account()
    ports.accounts.add(account)
    outcomes = race(lambda number: ports.accounts.save(account.model_copy(update={"username": str(number)})), 24)
    (winner,) = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 23
    assert ports.accounts.get(account.account_id) == winner


def test_a_tiktok_user_moves_to_a_new_account_and_the_former_one_stays_readable(ports):
    former, new = an_account(open_id="open"), an_account(open_id="open", workspace_id="workspace-2")
    ports.accounts.add(former)
    ended = former.model_copy(update={"tokens": None, "disconnected_at": NOW})
    ports.accounts.move(ended, new)
    assert ports.accounts.find_open_id("open") == new
    assert ports.accounts.get(former.account_id) == ended.model_copy(update={"version": 1})
    assert list(ports.accounts.of_workspace("workspace-2")) == [new]


def test_moving_again_changes_nothing(ports):
    former, new = an_account(open_id="open"), an_account(open_id="open")
    ports.accounts.add(former)
    ports.accounts.move(former, new)
    saved = ports.accounts.save(new.model_copy(update={"username": "later"}))
    ports.accounts.move(former, new)
    assert ports.accounts.find_open_id("open") == saved


def test_a_tiktok_user_does_not_move_from_an_account_that_has_changed(ports):
    former, new = an_account(open_id="open"), an_account(open_id="open")
    ports.accounts.add(former)
    saved = ports.accounts.save(former.model_copy(update={"username": "connected again"}))
    with pytest.raises(Busy):
        ports.accounts.move(former, new)
    assert ports.accounts.find_open_id("open") == saved
    assert ports.accounts.get(new.account_id) is None


def test_of_24_workers_that_move_a_tiktok_user_one_wins(ports, race):
    former, new = an_account(open_id="open"), [an_account(open_id="open") for _ in range(24)]
    ports.accounts.add(former)
    outcomes = race(lambda number: ports.accounts.move(former, new[number]), 24)
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 23
    assert [one for one in new if ports.accounts.get(one.account_id)] == [ports.accounts.find_open_id("open")]


def test_due_accounts_are_those_whose_watch_time_has_come_the_longest_overdue_first(ports):
    overdue = [an_account(watch_at=NOW - number) for number in range(10)]
    for account in (*overdue, an_account(watch_at=NOW + 1), an_account()):
        ports.accounts.add(account)
    ids = [account.account_id for account in reversed(overdue)]
    assert list(ports.accounts.due(NOW, 100)) == ids
    assert list(ports.accounts.due(NOW, 3)) == ids[:3]


def test_an_account_that_nobody_watches_any_more_is_due_no_more(ports):
    account = an_account(watch_at=NOW)
    ports.accounts.add(account)
    ports.accounts.save(account.model_copy(update={"watch_at": None}))
    assert list(ports.accounts.due(NOW, 100)) == []


def test_a_connection_is_finished_once(ports):
    pending = a_connection()
    ports.accounts.begin_connecting(pending)
    assert ports.accounts.finish_connecting(pending.token_hash) == pending
    assert ports.accounts.finish_connecting(pending.token_hash) is None


def test_of_24_workers_that_finish_a_connection_one_gets_it(ports, race):
    pending = a_connection()
    ports.accounts.begin_connecting(pending)
    outcomes = race(lambda _: ports.accounts.finish_connecting(pending.token_hash), 24)
    assert [outcome for outcome in outcomes if outcome is not None] == [pending]


def test_a_connection_ends_when_it_expires(ports):
    pending = a_connection(expires_at=NOW + 600)
    ports.accounts.begin_connecting(pending)
    ports.clock.time = NOW + 600
    assert ports.accounts.finish_connecting(pending.token_hash) is None


def test_an_unknown_connection_is_none(ports):
    assert ports.accounts.finish_connecting("nobody") is None


# DynamoDB
def test_an_addition_whose_answer_was_lost_recognizes_itself(aws_ports):
    account = an_account()
    aws_ports.aws.lose_answer("dynamodb", "TransactWriteItems")
    aws_ports.accounts.add(account)
    assert aws_ports.accounts.find_open_id(account.open_id) == account


def test_a_save_whose_answer_was_lost_recognizes_itself(aws_ports):
    account = an_account()
    aws_ports.accounts.add(account)
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    assert aws_ports.accounts.save(account).version == 1


def test_a_move_whose_answer_was_lost_recognizes_itself(aws_ports):
    former, new = an_account(open_id="open"), an_account(open_id="open")
    aws_ports.accounts.add(former)
    aws_ports.aws.lose_answer("dynamodb", "TransactWriteItems")
    aws_ports.accounts.move(former, new)
    assert aws_ports.accounts.find_open_id("open") == new


def test_dynamodb_may_remove_connections_but_no_accounts(aws_ports):
    aws_ports.accounts.add(an_account())
    aws_ports.accounts.begin_connecting(a_connection(expires_at=NOW + 0.5))
    items = aws_ports.aws.clients["dynamodb"].scan(TableName="AccountsTable")["Items"]
    temporary = {item["pk"]["S"].split("#")[0]: item["expires"] for item in items if "expires" in item}
    assert temporary == {"connection": {"N": str(int(NOW) + 1)}}
