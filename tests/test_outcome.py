import itertools

import pytest

from metacrawl.outcome import Ending, Outcome, Problem, Problems, conclude

FILMS = {"film": 2, "critic review": 1, "user review": 1234}
NONE = {"film": 0, "critic review": 0, "user review": 0}
DATABASE = "sqlite:///metacrawl.db"


def problems(*outcomes):
    noted = Problems()
    for outcome in outcomes:
        noted.add(Problem(outcome, f"some {outcome.label}"))
    return noted


def test_exit_codes_tell_the_outcomes_apart():
    assert len({outcome.value for outcome in Outcome}) == len(Outcome.__members__)
    assert [outcome for outcome in Outcome if outcome.value == 0] == [Outcome.COMPLETE]


def test_without_problems_a_run_is_complete():
    assert Problems().worst is Outcome.COMPLETE
    assert Problems().describe(Outcome.COMPLETE) == ""


@pytest.mark.parametrize(("worse", "better"), [*itertools.combinations([*Outcome][:-1], 2)])
def test_the_worst_problem_counts_whatever_came_first(worse, better):
    assert problems(worse, better).worst is worse
    assert problems(better, worse, better).worst is worse


def test_the_first_few_problems_of_a_kind_are_told_and_the_rest_counted():
    noted = Problems()
    for number in range(1, 6):
        noted.add(Problem(Outcome.PARTIAL, f"page {number}"))
    assert noted.count[Outcome.PARTIAL] == 5
    assert noted.describe(Outcome.PARTIAL) == "page 1; page 2; page 3; and 2 more"


def test_few_problems_are_all_told():
    noted = Problems()
    for number in range(1, 4):
        noted.add(Problem(Outcome.LAYOUT, f"page {number}"))
    assert noted.describe(Outcome.LAYOUT) == "page 1; page 2; page 3"


def test_problems_of_one_kind_are_told_without_those_of_another():
    noted = problems(Outcome.LAYOUT, Outcome.PARTIAL)
    assert noted.describe(Outcome.PARTIAL) == "some partial"
    assert noted.describe(Outcome.DATABASE) == ""


def test_two_runs_do_not_share_their_problems():
    problems(Outcome.LAYOUT)
    assert Problems().worst is Outcome.COMPLETE


def test_a_complete_run_says_what_it_met_and_where_it_lies():
    assert conclude(Problems(), FILMS, DATABASE, Ending()) == (
        Outcome.COMPLETE,
        "2 films, 1 critic review, 1,234 user reviews in sqlite:///metacrawl.db",
    )


def test_a_run_without_records_is_not_complete():
    outcome, message = conclude(Problems(), NONE, DATABASE, Ending())
    assert outcome is Outcome.INVALID
    assert message.startswith("no record was found; 0 films, 0 critic reviews, 0 user reviews in ")


def test_a_run_to_which_nothing_was_due_is_complete_and_says_so():
    outcome, message = conclude(Problems(), NONE, DATABASE, Ending(not_due="2 films are not due"))
    assert outcome is Outcome.COMPLETE
    assert message.endswith(f" in {DATABASE}; 2 films are not due")


OF_PAGES = (Outcome.BLOCKED, Outcome.RATE_LIMITED, Outcome.SITE_DOWN, Outcome.ROBOTS)


@pytest.mark.parametrize("outcome", OF_PAGES)
def test_a_site_that_gave_anything_makes_the_run_partial(outcome):
    assert conclude(problems(outcome), FILMS, DATABASE, Ending())[0] is Outcome.PARTIAL
    assert conclude(problems(outcome), NONE, DATABASE, Ending())[0] is outcome


@pytest.mark.parametrize("outcome", OF_PAGES)
def test_what_the_whole_run_was_ended_for_is_its_outcome(outcome):
    ending = Ending(unfinished=True, halted=frozenset({outcome}))
    assert conclude(problems(outcome), FILMS, DATABASE, ending)[0] is outcome


def test_what_is_short_comes_first_and_makes_a_run_partial():
    ending = Ending(short="1 of 2 films short")
    outcome, message = conclude(Problems(), FILMS, DATABASE, ending)
    assert outcome is Outcome.PARTIAL
    assert message.startswith("1 of 2 films short; 2 films, 1 critic review, 1,234 user reviews in ")
    assert message.endswith("; run the same command again to retry")
    outcome, message = conclude(problems(Outcome.SITE_DOWN), FILMS, DATABASE, ending)
    assert (outcome, message.split("; ")[:2]) == (Outcome.PARTIAL, ["1 of 2 films short", "some site_down"])
    outcome, message = conclude(problems(Outcome.LAYOUT), FILMS, DATABASE, ending)
    assert (outcome, message.split("; ")[:2]) == (Outcome.LAYOUT, ["some layout", "1 of 2 films short"])


def test_what_a_place_does_not_have_is_told_of_a_complete_run():
    outcome, message = conclude(Problems(), FILMS, DATABASE, Ending(elsewhere="1 of 2 films short"))
    assert outcome is Outcome.COMPLETE
    assert message.endswith("; not to be had here: 1 of 2 films short")


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome not in OF_PAGES])
def test_any_other_problem_is_the_outcome_however_much_was_read(outcome):
    assert conclude(problems(outcome), FILMS, DATABASE, Ending())[0] is outcome


@pytest.mark.parametrize("met", [FILMS, NONE])
def test_a_problem_is_told_before_the_amounts(met):
    _, message = conclude(problems(Outcome.LAYOUT), met, DATABASE, Ending())
    assert message.startswith("some layout; ")
    assert DATABASE in message


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_may_pass_on_its_own_is_worth_another_try(outcome):
    _, message = conclude(problems(outcome), FILMS, DATABASE, Ending())
    assert message.endswith("; run the same command again to retry") == (
        outcome in {Outcome.BLOCKED, Outcome.RATE_LIMITED, Outcome.SITE_DOWN, Outcome.PARTIAL}
    )


@pytest.mark.parametrize("outcome", Outcome)
def test_a_run_that_was_cut_short_goes_on(outcome):
    _, message = conclude(problems(outcome), FILMS, DATABASE, Ending(unfinished=True))
    assert message.endswith("; run the same command again to go on")


def test_a_message_cannot_write_on_the_terminal():
    problems = Problems()
    problems.add(Problem(Outcome.LAYOUT, "page\nERROR: forged line \x1b[2J"))
    assert problems.describe(Outcome.LAYOUT) == "page\\nERROR: forged line \\x1b[2J"
