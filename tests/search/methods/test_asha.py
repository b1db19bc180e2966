"""ASHA and training to the end; Hyperband's rules are tested through the study."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.search.fakes import (
    ACCURACY,
    WIDE,
    by_x,
    drive,
    ended,
    make_study,
    n_epochs,
    rung_sizes,
    settings,
    setup_of,
    total,
)
from tests.search.test_study import FIVE
from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods.asha import Asha
from tuner.space.methods import METHODS
from tuner.space.parsing.schema import SearchSpec


def test_every_method_that_a_file_may_name_is_there() -> None:
    schema = SearchSpec.model_json_schema()["properties"]["method"]
    assert sorted(schema["enum"]) == sorted(METHODS)


def asha_trials(scores: list[float], max_trials: int, max_epochs: int = 9) -> list[Trial]:
    """Trials of one worker; a promoted one keeps its parent's score."""
    study = make_study(search=settings(max_epochs, 3, method="asha", max_trials=max_trials))
    given = iter(scores)
    by_x: dict[float, float] = {}

    def score(trial: Trial) -> float:
        if trial.rung == 0:
            by_x[trial.values["x"]] = next(given, 0.0)
        return by_x[trial.values["x"]]

    return drive(study, score)


def test_asha_promotes_as_soon_as_a_third_of_a_rung_is_one_trial_and_higher_rungs_first() -> None:
    trials = asha_trials([0.1, 0.9, 0.5, 0.2, 0.8, 0.7, 0.3, 0.4, 0.6], max_trials=30)
    rungs = [(t.rung, t.parent_id) for t in trials]
    assert rungs[:4] == [(0, None), (0, None), (0, None), (1, "0001")]
    # With six ended two may go on: the second best by now.
    assert rungs[4:8] == [(0, None), (0, None), (0, None), (1, "0005")]
    # The third on rung 1 makes one of them worth the top rung, before anything new starts.
    assert rungs[8:13] == [(0, None), (0, None), (0, None), (1, "0006"), (2, "0003")]
    assert [(t.first_epoch, t.last_epoch) for t in (trials[0], trials[3], trials[12])] == [
        (1, 1),
        (2, 3),
        (4, 9),
    ]


def test_asha_promotes_from_the_highest_rung_that_has_one_to_promote() -> None:
    method = Asha(setup_of(settings(9, 3, method="asha")))
    board = Board(ACCURACY)

    def train(number: int, rung: int, parent: int | None) -> None:
        trial = Trial(
            trial_id=f"{number:04d}", values={}, bracket=0, rung=rung, first_epoch=1, last_epoch=1,
            parent_id=None if parent is None else f"{parent:04d}",
        )  # fmt: skip
        board.start(trial)
        board.end(replace(trial, score=float(-number)))

    for number in range(12):
        train(number, 0, None)
    for number in (12, 13, 14):
        train(number, 1, number - 12)
    # 0003 is in the top third of rung 0, and 0012 in that of rung 1.
    step = method.next_step(board)
    assert step is not None
    assert (step.rung, step.parent_id) == (2, "0012")
    train(15, 2, 12)
    step = method.next_step(board)
    assert step is not None
    assert (step.rung, step.parent_id) == (1, "0003")


def test_asha_counts_failed_trials_as_the_worst() -> None:
    study = make_study(search=settings(9, 3, method="asha"))
    drive(study, lambda t: None if t.trial_id in {"0000", "0001"} else by_x(t))
    assert study.board.trials["0003"].parent_id == "0002"


@pytest.mark.parametrize("n_workers", [1, 5])
def test_asha_promotes_only_from_the_best_third(n_workers: int) -> None:
    study = make_study(search=settings(27, 3, method="asha"))
    running: list[Trial] = []
    while True:
        while len(running) < n_workers:
            scores = {key: t.score for key, t in study.board.trials.items() if t.score is not None}
            same_rung = [
                (t.rung, scores[key]) for key, t in study.board.trials.items() if key in scores
            ]
            started = study.next_trial()
            if started is None:
                break
            running.append(started)
            is_last_resort = (
                len(running) == 1
                and len([t for t in study.board.trials.values() if t.rung == 0]) == 61
            )
            if started.parent_id is not None and not is_last_resort:
                own = [score for rung, score in same_rung if rung == started.rung - 1]
                better = sum(score > scores[started.parent_id] for score in own)
                assert better < len(own) // 3
        if not running:
            break
        study.end(ended(running.pop(0)))
    assert study.board.rung(0, 3).ranked


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize("iterations", [1, 2])
def test_asha_trains_as_many_epochs_as_hyperband(iterations: int, n_workers: int) -> None:
    search = settings(9, 3, iterations, method="asha")
    trials = drive(make_study(search=search), n_workers=n_workers)
    assert n_epochs(trials) == total(search)[1] == iterations * 75
    assert len(trials) == pytest.approx(total(search)[0], rel=0.15)
    assert any(trial.last_epoch == 9 for trial in trials)


@pytest.mark.parametrize("n_workers", [1, 3])
def test_asha_brings_the_best_to_the_end_when_the_rule_promotes_no_more(n_workers: int) -> None:
    trials = drive(make_study(FIVE, search=settings(27, 3, method="asha")), n_workers=n_workers)
    assert rung_sizes(trials)[0, 0] == 5
    last = [t for t in trials if t.last_epoch == 27]
    assert [t.values["x"] for t in last] == [5]


def test_asha_tries_the_next_best_where_the_last_promotion_fails() -> None:
    trials = drive(
        make_study(FIVE, search=settings(9, 3, method="asha")),
        lambda t: None if t.rung == 2 and t.values["x"] == 5 else by_x(t),
    )
    assert [(t.values["x"], t.score) for t in trials if t.rung == 2] == [(5, None), (4, 4.0)]


@pytest.mark.parametrize("max_trials", [3, 4, 10, 40])
def test_asha_keeps_enough_of_its_trials_to_train_one_to_the_end(max_trials: int) -> None:
    trials = drive(
        make_study(search=settings(9, 3, method="asha", max_trials=max_trials)), n_workers=2
    )
    assert len(trials) <= max_trials
    assert any(t.last_epoch == 9 for t in trials)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("max_trials", [1, 5])
def test_max_trials_limits_every_method(method: str, max_trials: int) -> None:
    search = settings(9, 3, method=method, max_trials=max_trials)
    space = FIVE if method == "grid" else WIDE
    assert len(drive(make_study(space, search=search))) == max_trials


def test_random_trains_as_many_epochs_as_hyperband_each_setting_to_the_end() -> None:
    search = settings(9, 3, method="random")
    trials = drive(make_study(search=search), n_workers=3)
    assert {(t.first_epoch, t.last_epoch, t.parent_id) for t in trials} == {(1, 9, None)}
    assert (len(trials), n_epochs(trials)) == total(search) == (8, 72)


def test_random_draws_the_settings_that_hyperband_draws() -> None:
    random = [t.values for t in drive(make_study(search=settings(9, 3, method="random")))]
    hyperband = [t.values for t in drive(make_study()) if t.rung == 0]
    assert random == hyperband[:8]
