"""The simulation of many posts says the same each time, sees what goes beyond a limit, and what it says can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulate import Scenario, beyond, simulate, table
from publisher.domain.slots import PUBLISH, Window

EACH_ONE = Scenario("each one", posts=2000, accounts=2000, when="hour")
EACH_TEN = Scenario("each ten", posts=2000, accounts=200, when="hour")
SIXTEEN = Scenario("sixteen", posts=320, accounts=20, when="hour")
A_DAY = Scenario("a day", posts=3000, accounts=300, when="day")
SCENARIOS = (EACH_ONE, EACH_TEN, SIXTEEN, A_DAY, A_DAY._replace(shards=2))
OVERHEAD = 30.0  # seconds: the functions before an init, each cold and slow, and the rates at which 2,000 posts start


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_post_goes_out_with_one_init_and_nothing_beyond_a_limit(scenario):
    outcome = simulate(scenario, seed=7)
    assert (outcome.posts, outcome.inits, outcome.refused) == (scenario.posts, scenario.posts, 0)
    assert outcome.over == 0
    assert outcome.peak <= scenario.concurrency


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_it_says_the_same_of_the_same_seed_and_something_else_of_another(scenario):
    assert simulate(scenario, seed=7) == simulate(scenario, seed=7) != simulate(scenario, seed=8)


def test_a_post_that_needs_no_turn_is_hardly_late_and_asks_for_the_creators_options_once():
    outcome = simulate(EACH_ONE, seed=7)
    assert outcome.waited == 0
    assert outcome.creator_infos == outcome.posts
    assert max(outcome.late) < OVERHEAD
    assert outcome.late == outcome.behind


def test_four_of_an_accounts_ten_posts_wait_an_hour_and_no_longer():
    outcome = simulate(EACH_TEN, seed=7)
    assert outcome.waited == 4 * EACH_TEN.accounts
    assert outcome.creator_infos == outcome.posts + outcome.waited
    assert sum(1 for late in outcome.late if late >= 3600) == outcome.waited
    assert max(outcome.late) < 3600 + 2 * OVERHEAD
    assert max(outcome.behind) < OVERHEAD


def test_the_sixteenth_post_of_an_account_waits_for_the_next_day():
    late = sorted(simulate(SIXTEEN, seed=7).late)
    assert sum(1 for seconds in late if seconds >= 86400) == SIXTEEN.accounts
    assert late[-1] < 86400 + 2 * OVERHEAD


def test_a_post_is_asked_about_until_tiktok_is_done_with_it():
    """TikTok takes 15 seconds or so: looks after 5, 10, 20, 40, 80 and 140 seconds."""
    outcome = simulate(EACH_ONE, seed=7)
    assert 2 < outcome.statuses / outcome.posts < 4


def test_the_control_is_refused_again_and_again():
    ours, control = simulate(EACH_TEN, seed=7), simulate(EACH_TEN._replace(naive=True), seed=7)
    assert control.posts == ours.posts
    assert control.refused > 5 * control.posts
    assert control.inits == control.posts + control.refused
    assert max(control.late) > max(ours.late)


def test_fewer_functions_at_once_make_posts_later():
    few = simulate(EACH_ONE._replace(concurrency=50), seed=7)
    assert few.peak == 50
    assert few.posts == EACH_ONE.posts
    assert few.queued > 1
    assert max(few.late) > max(simulate(EACH_ONE, seed=7).late)


def test_fewer_starts_a_second_make_posts_later():
    outcome = simulate(EACH_ONE._replace(starts=20), seed=7)
    assert 100 <= max(outcome.late) < 100 + OVERHEAD


@given(st.lists(st.integers(0, 30), max_size=30))
def test_the_checker_finds_what_looking_at_every_window_finds(times):
    window = Window("any", most=3, seconds=5, meaning="")
    times.sort()
    brute = sum(1 for last in range(len(times)) if sum(1 for at in times[:last] if at > times[last] - 5) >= 3)
    assert beyond([[float(at) for at in times]], window) == brute


def test_the_checker_sees_a_seventh_post_within_the_hour():
    assert beyond([[0.0] * 6, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 3599.0]], PUBLISH) == 1
    assert beyond([[0.0] * 6, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 3600.0]], PUBLISH) == 0


def test_the_table_has_a_column_for_each_scenario():
    text = table([(scenario, simulate(scenario, seed=7)) for scenario in (EACH_ONE, EACH_TEN)])
    lines = text.splitlines()
    assert lines[0] == "|  | each one | each ten |"
    assert "| calls beyond a limit | 0 | 0 |" in lines
    assert {line.count("|") for line in lines} == {4}
