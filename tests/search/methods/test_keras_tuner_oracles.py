"""Keras Tuner's own methods: what they decide here is what they decide under Keras Tuner."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_tuner
import pytest

from tests.search.fakes import ACCURACY, WIDE, drive, ended, make_study, rung_sizes, settings
from tests.search.test_study import FIVE
from tuner.errors import ConfigurationError
from tuner.records.trial import Trial
from tuner.search.methods.method import method_class
from tuner.search.study import Study
from tuner.space.definition import Condition, Parameter, Space
from tuner.space.sampling import has_setting

MIXED = Space(
    parameters=(
        Parameter(name="optimizer", kind="choice", choices=("adam", "sgd", "lion")),
        Parameter(
            name="momentum", kind="float", low=0.1, high=0.9, step=0.1,
            conditions=(Condition(parent="optimizer", values=("sgd",)),),
        ),
        Parameter(name="rate", kind="float", low=1e-4, high=1e-1, log=True),
        Parameter(name="units", kind="int", low=2, high=64, step=2),
        Parameter(name="norm", kind="boolean", choices=(False, True)),
    ),
    fixed={"batch_size": 32},
)  # fmt: skip
# Keras Tuner adds tenths up to 0.30000000000000004, where its conditions compare exactly.
TENTHS = Space(
    parameters=(
        Parameter(name="dropout", kind="float", low=0.0, high=0.5, step=0.1),
        Parameter(
            name="noise", kind="choice", choices=("none", "some", "much"),
            conditions=(Condition(parent="dropout", values=(0.3, 0.4)),),
        ),
        Parameter(name="x", kind="float", low=0.0, high=1.0),
    ),
    fixed={},
)  # fmt: skip
METHODS = [f"keras_tuner_{name}" for name in ("hyperband", "bayesian", "random", "grid")]


def score(values: Mapping[str, Any], last_epoch: int) -> float:
    """Made up, the same for the same setting and epoch."""
    return round((values["units"] - 30) ** 2 / 1000 + values["rate"], 9) + last_epoch / 100


def build(hp: keras_tuner.HyperParameters) -> None:
    """A builder that asks for MIXED."""
    if hp.Choice("optimizer", ["adam", "sgd", "lion"]) == "sgd":
        with hp.conditional_scope("optimizer", ["sgd"]):
            hp.Float("momentum", 0.1, 0.9, step=0.1)
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    hp.Int("units", 2, 64, step=2)
    hp.Boolean("norm")


def declared() -> keras_tuner.HyperParameters:
    """MIXED, as a user of Keras Tuner declares it."""
    hp = keras_tuner.HyperParameters()
    hp.Choice("optimizer", ["adam", "sgd", "lion"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("momentum", 0.1, 0.9, step=0.1)
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    hp.Int("units", 2, 64, step=2)
    hp.Boolean("norm")
    return hp


def keras_tuner_trials(tuner: type[keras_tuner.Tuner], **numbers: Any) -> list[dict[str, Any]]:
    """What Keras Tuner itself trains, in a search of its own with made-up scores."""
    seen: list[dict[str, Any]] = []

    class MadeUp(tuner):  # type: ignore[misc, valid-type]
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            values = dict(trial.hyperparameters.values)
            seen.append(values)
            return score(values, values.get("tuner/epochs", 9))

    search = MadeUp(
        build,
        objective=keras_tuner.Objective("default_objective", "max"),
        hyperparameters=declared(),
        tune_new_entries=False,
        seed=7,
        overwrite=True,
        directory="made",
        project_name="up",
        **numbers,
    )
    with warnings.catch_warnings():
        # Its Gaussian process warns wherever its kernel meets a bound.
        warnings.simplefilter("ignore")
        search.search(verbose=0)
    return seen


def settings_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The space's own values, in tenths where Keras Tuner adds tenths up."""
    return [
        {
            name: round(value, 12) if isinstance(value, float) else value
            for name, value in values.items()
            if not name.startswith("tuner/")
        }
        for values in found
    ]


def ours(method: str, **numbers: Any) -> list[Trial]:
    study = make_study(MIXED, search=settings(9, 3, method=method, **numbers), seed=7)
    return drive(study, lambda trial: score(trial.values, trial.last_epoch))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("iterations", [1, 2])
def test_hyperband_starts_and_promotes_what_keras_tuner_does(iterations: int) -> None:
    theirs = keras_tuner_trials(
        keras_tuner.Hyperband, max_epochs=9, factor=3, hyperband_iterations=iterations
    )
    trials = ours("keras_tuner_hyperband", iterations=iterations)
    assert len(theirs) == len(trials) == 23 * iterations
    for trial, values in zip(trials, theirs, strict=True):
        parent = values.get("tuner/trial_id")
        assert trial.parent_id == parent
        assert (trial.first_epoch - 1, trial.last_epoch, trial.rung) == (
            values["tuner/initial_epoch"],
            values["tuner/epochs"],
            values["tuner/round"],
        )
    found = settings_of([dict(trial.values) for trial in trials])
    assert found == [{"batch_size": 32} | values for values in settings_of(theirs)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "tuner"),
    [
        ("keras_tuner_random", keras_tuner.RandomSearch),
        ("keras_tuner_grid", keras_tuner.GridSearch),
        ("keras_tuner_bayesian", keras_tuner.BayesianOptimization),
    ],
)
def test_full_training_tries_what_keras_tuner_does(
    method: str, tuner: type[keras_tuner.Tuner]
) -> None:
    # Past the drawn points, of which there are three for each hyperparameter.
    n = 16 if method == "keras_tuner_bayesian" else 8
    theirs = keras_tuner_trials(tuner, max_trials=n)
    trials = ours(method, max_trials=n)
    found = settings_of([dict(trial.values) for trial in trials])
    assert found == [{"batch_size": 32} | values for values in settings_of(theirs)]


def test_brackets_are_numbered_on_and_promotions_stay_in_their_own() -> None:
    sizes = rung_sizes(ours("keras_tuner_hyperband", iterations=2))
    once = {(2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3}
    assert sizes == once | {(bracket + 3, rung): n for (bracket, rung), n in once.items()}


def history_of(study: Study, n_workers: int, running: list[Trial]) -> Iterator[tuple[Any, Any]]:
    """Every start with its state and every end from here on; the oldest trial ends first."""
    while True:
        while len(running) < n_workers and (trial := study.next_trial()):
            running.append(trial)
            yield ("started", trial), json.loads(json.dumps(study.state()))
        if not running:
            return
        trial = ended(running.pop(0), lambda t: None if t.trial_id == "0003" else float(t.trial_id))
        study.end(trial)
        yield ("ended", trial), None


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("space", [WIDE, FIVE, TENTHS], ids=["wide", "five", "tenths"])
@pytest.mark.parametrize("method", METHODS)
def test_the_rest_is_the_same_after_a_cut_anywhere(
    method: str, space: Space, n_workers: int
) -> None:
    # Past the drawn points; each of the others takes a while.
    is_slow = method == "keras_tuner_bayesian"
    n = 5 if is_slow else None

    def study() -> Study:
        search = settings(9, 3, method=method, max_trials=n)
        return make_study(space, search=search, n_workers=n_workers)

    whole = list(history_of(study(), n_workers, []))
    for cut in (8,) if is_slow else range(0, len(whole) + 1, 3):
        past = whole[:cut]
        restored = study()
        restored.restore(
            [event for event, _ in past], [state for _, state in past if state is not None]
        )
        rest = list(history_of(restored, n_workers, list(restored.board.running.values())))
        if n_workers == 1 or (past[-1:] and past[-1][0][0] == "started"):
            assert [event for event, _ in rest] == [event for event, _ in whole[cut:]]


@pytest.mark.parametrize("method", ["keras_tuner_hyperband", "keras_tuner_random"])
def test_child_of_a_float_with_a_step_is_searched(method: str) -> None:
    search = settings(27, 3, method=method, iterations=3)
    trials = drive(make_study(TENTHS, search=search))
    assert all(has_setting(TENTHS, trial.values) for trial in trials)
    noisy = [trial.values for trial in trials if trial.values["dropout"] == 0.3]
    assert {values["noise"] for values in noisy} == {"none", "some", "much"}


@pytest.mark.parametrize("method", [name for name in METHODS if name != "keras_tuner_grid"])
def test_the_range_that_holds_is_searched(method: str) -> None:
    def rate(optimizer: str, low: float, high: float) -> Parameter:
        conditions = (Condition(parent="optimizer", values=(optimizer,)),)
        return Parameter(name="rate", kind="float", low=low, high=high, conditions=conditions)

    optimizer = Parameter(name="optimizer", kind="choice", choices=("adam", "sgd", "lion"))
    ranges = (rate("adam", 1e-4, 1e-3), rate("sgd", 1e-2, 1e-1))
    space = Space(parameters=(optimizer, *ranges), fixed={})
    search = settings(3, 3, method=method, max_trials=24)
    trials = drive(make_study(space, search=search), lambda trial: trial.values.get("rate", 0.0))
    assert {trial.values["optimizer"] for trial in trials} >= {"adam", "sgd"}
    assert all(has_setting(space, trial.values) for trial in trials)


@pytest.mark.slow
def test_child_that_only_the_clipped_end_switches_on_gets_its_default() -> None:
    # Where the model of the scores is best at the very end, Keras Tuner proposes 65.
    at_64 = (Condition(parent="units", values=(64,)),)
    space = Space(
        parameters=(
            Parameter(name="units", kind="int", low=2, high=64, log=True),
            Parameter(name="rate", kind="float", low=0.1, high=0.9, conditions=at_64),
        ),
        fixed={},
    )
    search = settings(9, 3, method="keras_tuner_bayesian", max_trials=10)
    trials = drive(make_study(space, search=search), lambda trial: float(trial.values["units"]))
    assert {"units": 64, "rate": 0.1} in [trial.values for trial in trials]
    assert all(has_setting(space, trial.values) for trial in trials)


def test_log_of_another_search_is_refused() -> None:
    trial = replace(ours("keras_tuner_random")[0], score=None)
    study = make_study(MIXED, search=settings(9, 3, method="keras_tuner_random"), seed=8)
    with pytest.raises(ValueError, match="Keras Tuner starts another trial than 0000"):
        study.restore([("started", trial)], [study.state()])


def test_seed_0_is_a_seed() -> None:
    def drawn() -> list[Any]:
        search = settings(9, 3, method="keras_tuner_random")
        return [trial.values for trial in drive(make_study(search=search, seed=0))]

    assert drawn() == drawn()


def test_three_failures_in_a_row_do_not_end_the_search() -> None:
    search = settings(9, 3, method="keras_tuner_hyperband")
    assert len(drive(make_study(search=search), lambda trial: None)) >= 9


@pytest.mark.parametrize("method", METHODS)
def test_oracles_write_no_file_and_need_something_to_search(method: str, tmp_path: Path) -> None:
    search = settings(9, 3, method=method, max_trials=3)
    drive(make_study(search=search))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match="no hyperparameter is searched"):
        make_study(Space(parameters=(), fixed={"x": 1}), search=search, objective=ACCURACY)


def test_grid_of_keras_tuner_is_not_counted_and_its_note_holds_for_every_size() -> None:
    search = settings(27, 3, method="keras_tuner_grid")
    rate = Parameter(name="rate", kind="float", low=1e-4, high=1e-1, log=True)
    trials = drive(
        make_study(Space(parameters=(rate,), fixed={}), search=search), lambda trial: 0.0
    )
    method = method_class("keras_tuner_grid")
    # The low end and ten values within the range, where the budget allows 13 settings.
    assert len(trials) == 11
    assert not method.cost(search, None).is_exact
    assert method.notes(search, None) == (
        "search.max_total_epochs ends the grid after 13 settings, if it has more",
    )
    assert method.notes(search, 13) == ()


def test_hyperband_of_keras_tuner_that_a_limit_cuts_short_is_about_right() -> None:
    method = method_class("keras_tuner_hyperband")
    search = settings(27, 3, method="keras_tuner_hyperband")
    assert method.cost(search, None).is_exact
    assert not method.cost(search, 5).is_exact
    assert not method.cost(replace(search, max_total_epochs=100), None).is_exact
