"""The order of Hyperband's brackets on several workers."""

from __future__ import annotations

import pytest

from tests.search.fakes import drive, make_study, rung_sizes, settings, total
from tuner.search.methods.hyperband import _makespan, bracket_order
from tuner.search.methods.rungs import brackets


@pytest.mark.parametrize(("max_epochs", "factor"), [(9, 3), (27, 3), (81, 3)])
def test_one_worker_goes_through_the_brackets_as_the_paper_does(
    max_epochs: int, factor: int
) -> None:
    order = bracket_order(settings(max_epochs, factor), n_workers=1)
    assert order == tuple(reversed(range(len(order))))


@pytest.mark.parametrize("n_workers", [2, 3, 8])
@pytest.mark.parametrize("max_epochs", [4, 9, 27, 81])
def test_every_bracket_begins_once_and_the_one_that_halves_most_first(
    max_epochs: int, n_workers: int
) -> None:
    n = len(brackets(settings(max_epochs)))
    order = bracket_order(settings(max_epochs), n_workers)
    assert order[0] == n - 1
    assert sorted(order) == list(range(n))


def test_two_workers_are_idle_for_less_than_with_the_papers_order() -> None:
    search = settings(9, 3)
    n_epochs = total(search)[1]
    assert _makespan(search, (2, 1, 0), 2) == 41
    assert _makespan(search, bracket_order(search, 2), 2) == 38 == -(-n_epochs // 2)


@pytest.mark.parametrize("n_workers", [2, 5, 16, 100])
@pytest.mark.parametrize("max_epochs", [9, 27, 81])
def test_no_order_is_chosen_that_takes_longer_than_the_papers(
    max_epochs: int, n_workers: int
) -> None:
    search = settings(max_epochs)
    usual = tuple(reversed(range(len(brackets(search)))))
    chosen = bracket_order(search, n_workers)
    assert _makespan(search, chosen, n_workers) <= _makespan(search, usual, n_workers)


def test_order_changes_no_rung() -> None:
    one, two = (rung_sizes(drive(make_study(n_workers=n), n_workers=n)) for n in (1, 2))
    assert one == two


def test_every_iteration_has_the_order() -> None:
    trials = drive(make_study(search=settings(9, 3, iterations=2), n_workers=2), n_workers=2)
    begun = list(dict.fromkeys(trial.bracket for trial in trials))
    assert begun == [2, 0, 1, 5, 3, 4]
