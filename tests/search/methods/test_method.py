"""What every method must do, and what it says of itself."""

from __future__ import annotations

import pytest

from tests.search.fakes import WIDE, drive, make_study, n_epochs, settings, total
from tests.search.test_proposals import NESTED
from tuner.search.methods.method import method_class
from tuner.space.definition import Parameter, Space
from tuner.space.methods import METHODS
from tuner.space.sampling import n_settings

WORDS = {
    "hyperband": "Hyperband, 27 epochs at most, factor 3, 1 iteration",
    "asha": "ASHA, 27 epochs at most, factor 3",
    "model_hyperband": "model-based Hyperband, 27 epochs at most, factor 3",
    "random": "random search, 27 epochs at most",
    "bayesian": "Bayesian optimisation, 27 epochs at most",
    "grid": "grid search, 27 epochs at most",
    "keras_tuner_hyperband": ("Keras Tuner's Hyperband, 27 epochs at most, factor 3, 1 iteration"),
    "keras_tuner_bayesian": "Keras Tuner's Bayesian optimisation, 27 epochs at most",
    "keras_tuner_random": "Keras Tuner's random search, 27 epochs at most",
    "keras_tuner_grid": "Keras Tuner's grid search, 27 epochs at most",
}


@pytest.mark.parametrize("method", WORDS)
def test_every_method_has_its_own_name_and_only_its_own_numbers(method: str) -> None:
    assert method_class(method).words(settings(27, 3, method=method)) == WORDS[method]


def test_every_method_of_a_space_has_a_name() -> None:
    assert set(WORDS) == set(METHODS)


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("budget", [9, 20, 50])
def test_budget_of_epochs_ends_every_method(method: str, budget: int, n_workers: int) -> None:
    search = settings(9, 3, iterations=5, method=method, max_total_epochs=budget)
    trials = drive(make_study(NESTED, search=search), lambda t: t.values["units"], n_workers)
    assert 0 < n_epochs(trials) <= budget
    cost = method_class(method).cost(search, 8)
    if cost.is_exact:
        assert (len(trials), n_epochs(trials)) == (cost.n_trials, cost.n_epochs)


def test_budget_is_hyperbands_own_sum_unless_the_number_of_trials_is_given() -> None:
    assert total(settings(9, 3)) == (23, 75)
    assert total(settings(9, 3, method="random")) == (8, 72)
    assert total(settings(9, 3, method="random", max_trials=20)) == (20, 180)
    limited = settings(9, 3, method="random", max_trials=20, max_total_epochs=100)
    assert total(limited) == (11, 99)


TWELVE = Space(
    parameters=(Parameter(name="units", kind="choice", choices=tuple(range(12))),),
    fixed={"conv_blocks": 1},
)


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize(
    ("space", "method"), [(WIDE, "hyperband"), (TWELVE, "hyperband"), (TWELVE, "grid")]
)
def test_exact_cost_is_what_any_number_of_workers_trains(
    space: Space, method: str, n_workers: int
) -> None:
    search = settings(9, 3, method=method)
    study = make_study(space, search=search, n_workers=n_workers)
    trials = drive(study, lambda trial: -int(trial.trial_id), n_workers)
    cost = method_class(method).cost(search, n_settings(space))
    if cost.is_exact:
        assert (len(trials), n_epochs(trials)) == (cost.n_trials, cost.n_epochs)


@pytest.mark.parametrize(
    ("method", "n_in_space", "max_trials", "is_exact"),
    [
        ("hyperband", None, None, True),
        ("hyperband", 18, None, True),
        # Nine settings in the first bracket, three in another: which, depends on the workers.
        ("hyperband", 12, None, False),
        ("hyperband", 1, None, True),
        ("grid", 9, None, True),
        ("grid", 10, 5, True),
        # Any of the five may be impossible to build.
        ("grid", 5, None, False),
        ("grid", 5, 5, False),
        ("grid", 1, None, True),
    ],
)
def test_cost_is_not_exact_where_the_space_sets_the_number(
    method: str, n_in_space: int | None, max_trials: int | None, is_exact: bool
) -> None:
    search = settings(9, 3, method=method, max_trials=max_trials)
    assert method_class(method).cost(search, n_in_space).is_exact == is_exact


def test_asha_uses_a_small_budget_to_train_one_trial_to_the_end() -> None:
    trials = drive(make_study(search=settings(9, 3, method="asha", max_total_epochs=12)))
    assert trials[-1].last_epoch == 9
    assert n_epochs(trials) <= 12


def test_grid_that_its_budget_cuts_short_says_so_before_it_begins() -> None:
    search = settings(9, 3, method="grid")
    assert method_class("grid").notes(search, 8) == ()
    assert method_class("grid").notes(search, 24) == (
        "search.max_total_epochs ends the grid after 8 of 24 settings; 216 trains them all",
    )
    assert method_class("grid").notes(settings(9, 3, method="grid", max_trials=2), 24) == ()


@pytest.mark.parametrize(("n_epochs", "shown"), [(13, "1 setting"), (117, "13 settings")])
def test_note_on_a_grid_too_large_to_count(n_epochs: int, shown: str) -> None:
    search = settings(9, 3, method="grid", max_total_epochs=n_epochs)
    assert method_class("grid").notes(search, None) == (
        f"search.max_total_epochs ends the grid after {shown}; the space has more",
    )


def test_grid_that_its_budget_cuts_before_max_trials_says_so() -> None:
    limited = settings(9, 3, method="grid", max_trials=20, max_total_epochs=45)
    assert method_class("grid").notes(limited, 5) == ()
    assert method_class("grid").notes(limited, 24) == (
        "search.max_total_epochs ends the grid after 5 of 24 settings; 216 trains them all",
    )
    enough = settings(9, 3, method="grid", max_trials=5, max_total_epochs=45)
    assert method_class("grid").notes(enough, 24) == ()
