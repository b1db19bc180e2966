"""The bookkeeping: ranks, counts, and which checkpoints are needed no more."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.search.fakes import ACCURACY, by_x, ended, make_study, settings
from tuner.metrics.ranking import best_settings
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods.rungs import brackets, promotable
from tuner.space.definition import Objective


def trial(
    number: int, *, rung: int = 0, parent: int | None = None, score: float | None = None
) -> Trial:
    """Every trial without a parent has a setting of its own."""
    x = number if parent is None else parent
    return Trial(
        trial_id=f"{number:04d}", values={"x": x}, bracket=0, rung=rung, first_epoch=1,
        last_epoch=1, score=score, parent_id=None if parent is None else f"{parent:04d}",
    )  # fmt: skip


def board_with(
    scores: list[float | None], *, objective: Objective = ACCURACY, n_wanted: int = 0
) -> Board:
    """A board whose first rung has these trials; None fails."""
    board = Board(objective, n_wanted)
    for number, score in enumerate(scores):
        board.start(trial(number))
        board.end(ended(trial(number), lambda _, score=score: score))
    return board


def released(board: Board, places: int | None = 1) -> list[str]:
    """What is needed no more, where so many trials of the first rung can be promoted."""
    return board.release(promotable(board, lambda bracket, rung: places if rung == 0 else 0))


@pytest.mark.parametrize(("direction", "best"), [("max", "0002"), ("min", "0000")])
def test_best_candidate_follows_the_objectives_direction(direction: str, best: str) -> None:
    objective = Objective(name="val_loss", direction=direction)
    assert board_with([0.1, 0.2, 0.3], objective=objective).best_candidate(0, 0) == best


def test_of_equal_candidates_the_oldest_is_best_also_beyond_four_digits() -> None:
    board = Board(ACCURACY)
    for number in (9999, 10000):
        board.start(trial(number))
        board.end(trial(number, score=0.5))
    assert board.best_candidate(0, 0) == "9999"


def test_trials_stand_in_the_order_of_their_starts_and_running_ones_are_told_apart() -> None:
    board = Board(ACCURACY)
    board.start(trial(0))
    board.start(trial(1))
    assert (list(board.trials), list(board.running), board.n_running) == (
        ["0000", "0001"],
        ["0000", "0001"],
        2,
    )
    board.end(trial(1, score=0.5))
    assert (list(board.trials), list(board.running), board.n_running) == (
        ["0000", "0001"],
        ["0000"],
        1,
    )
    assert board.trials["0001"].score == 0.5


def test_counts_of_a_rung() -> None:
    board = board_with([0.1, None, 0.3])
    board.start(trial(3))
    board.start(trial(4, rung=1, parent=2))
    rung = board.rung(0, 0)
    assert (rung.n_started, rung.n_ended, rung.n_failed, rung.n_running, rung.n_promoted) == (
        4,
        3,
        1,
        1,
        1,
    )
    assert rung.ranked == [(-0.3, 2), (-0.1, 0)]
    assert rung.candidates == [(-0.1, 0)]
    assert rung.candidate_rank == 1


def test_failed_trials_are_disposable_at_once_and_told_once() -> None:
    board = board_with([None, 0.5])
    assert released(board) == ["0000"]
    assert released(board) == []


def test_trials_beaten_by_as_many_as_there_are_places_are_disposable() -> None:
    assert released(board_with([0.1, 0.3, 0.2, 0.4]), 2) == ["0000", "0002"]


def test_without_a_limit_of_places_no_candidate_is_disposable() -> None:
    assert released(board_with([0.1, 0.3, 0.2]), None) == []


@pytest.mark.parametrize("score", [0.9, None])
def test_parents_are_disposable_when_their_promotion_has_ended(score: float | None) -> None:
    board = board_with([0.5])
    board.start(trial(1, rung=1, parent=0))
    assert released(board, None) == []
    board.end(ended(trial(1, rung=1, parent=0), lambda _: score))
    assert sorted(released(board, None)) == ["0000", "0001"]


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize("method", ["hyperband", "asha", "random"])
def test_what_was_disposable_is_never_promoted_later(method: str, n_workers: int) -> None:
    rng = random.Random(n_workers)
    study = make_study(search=settings(27, 3, method=method))
    gone: list[str] = []
    running: list[Trial] = []
    while True:
        while len(running) < n_workers and (started := study.next_trial()):
            assert started.parent_id not in gone
            running.append(started)
        if not running:
            break
        chosen = running.pop(rng.randrange(len(running)))
        study.end(ended(chosen, lambda _: None if rng.random() < 0.1 else rng.random()))
        gone += study.disposable()
    assert len(gone) == len(set(gone))
    if method != "asha":
        assert set(gone) == set(study.board.trials)


def test_checkpoints_of_81_by_3_stay_few() -> None:
    study = make_study(search=settings(81, 3))
    gone, most = 0, 0
    while (started := study.next_trial()) is not None:
        study.end(ended(started, by_x))
        gone += len(study.disposable())
        most = max(most, len(study.board.trials) - gone)
    assert (len(study.board.trials), gone) == (211, 211)
    # One worker has one bracket open: those waiting below each of its rungs' places, and the
    # trial's own parent.
    assert most <= 1 + max(
        sum(rung.n_trials for rung in rungs[1:]) for rungs in brackets(settings(81, 3))
    )


def test_wanted_trials_are_disposable_once_better_settings_take_their_places() -> None:
    board = board_with([0.1, 0.3, 0.2], n_wanted=2)
    assert (board.wanted, released(board, 0)) == ({"0001", "0002"}, ["0000"])
    board.start(trial(3))
    board.end(trial(3, score=0.9))
    assert (board.wanted, released(board, 0)) == ({"0001", "0003"}, ["0002"])
    assert released(board, 0) == []


@pytest.mark.parametrize(
    ("score", "wanted", "gone"), [(0.9, "0001", "0000"), (0.4, "0000", "0001")]
)
def test_of_a_setting_only_the_best_trial_is_wanted(score: float, wanted: str, gone: str) -> None:
    board = board_with([0.5], n_wanted=2)
    board.start(trial(1, rung=1, parent=0))
    board.end(trial(1, rung=1, parent=0, score=score))
    assert (board.wanted, released(board, None)) == ({wanted}, [gone])


def test_failed_trials_are_never_wanted() -> None:
    board = board_with([None, 0.5], n_wanted=2)
    assert (board.wanted, released(board)) == ({"0001"}, ["0000"])


@pytest.mark.parametrize(
    ("direction", "expected"), [("max", ["0002", "0001"]), ("min", ["0000", "0001"])]
)
def test_best_settings_are_distinct_and_the_oldest_of_equal_ones_comes_first(
    direction: str, expected: list[str]
) -> None:
    trials = [trial(0, score=0.1), trial(1, score=0.3), trial(2, score=0.7), trial(3, score=0.3)]
    same = replace(trial(4, score=0.6), values={"x": 2})
    found = best_settings(
        [same, *reversed(trials)], Objective(name="val_loss", direction=direction), 2
    )
    assert [one.trial_id for one in found] == expected


@pytest.mark.parametrize("method", ["hyperband", "asha", "random"])
def test_checkpoints_that_are_left_are_those_of_the_best_settings(method: str) -> None:
    rng = random.Random(1)
    study = make_study(search=settings(27, 3, method=method), n_wanted=5)
    gone: set[str] = set()
    while (started := study.next_trial()) is not None:
        assert started.parent_id not in gone
        study.end(ended(started, lambda _: None if rng.random() < 0.1 else rng.random()))
        gone |= set(study.disposable())
    best = best_settings(study.board.trials.values(), ACCURACY, 5)
    assert study.board.wanted == {one.trial_id for one in best}
    assert not study.board.wanted & gone
    if method != "asha":
        assert set(study.board.trials) - gone == study.board.wanted


def epoch(number: int, value: float) -> EpochMetrics:
    return EpochMetrics(epoch=number, metrics={"val_accuracy": value}, duration_s=0.1)


def test_ends_are_kept_in_their_order() -> None:
    board = Board(ACCURACY)
    for number in range(3):
        board.start(trial(number))
    for number in (2, 0):
        board.end(trial(number, score=0.5))
    assert (board.ended, list(board.running)) == (["0002", "0000"], ["0001"])


def test_epochs_are_those_that_were_started() -> None:
    board = Board(ACCURACY)
    board.start(replace(trial(0), last_epoch=3))
    board.start(trial(1))
    board.end(ended(board.trials["0001"], lambda _: None))
    assert board.n_epochs == 4


def test_curve_of_a_running_trial_reaches_to_its_last_reported_epoch() -> None:
    board = Board(ACCURACY)
    board.start(trial(0))
    assert board.curve("0000") == ()
    board.report("0000", epoch(1, 0.1))
    board.report("0000", epoch(2, 0.2))
    assert board.curve("0000") == (epoch(1, 0.1), epoch(2, 0.2))
    # Tried again, as after a failure.
    board.report("0000", epoch(1, 0.1))
    assert board.curve("0000") == (epoch(1, 0.1),)
    whole = replace(trial(0, score=0.3), epochs=(epoch(1, 0.1), epoch(2, 0.2), epoch(3, 0.3)))
    board.end(whole)
    assert board.curve("0000") == whole.epochs
    board.report("0000", epoch(4, 0.4))
    assert board.curve("0000") == whole.epochs


def test_setting_is_seen_whole_over_its_rungs() -> None:
    board = Board(ACCURACY)
    board.start(trial(0))
    board.end(replace(trial(0, score=0.1), epochs=(epoch(1, 0.1),)))
    board.start(trial(1))
    board.end(replace(trial(1), error="broken"))
    board.start(replace(trial(2, rung=1, parent=0), first_epoch=2, last_epoch=3))
    board.report("0002", epoch(2, 0.2))
    first, second = board.settings()
    assert (first.values, first.trial_ids) == ({"x": 0}, ("0000", "0002"))
    assert (first.entry_rung, first.last_rung, first.is_running) == (0, 1, True)
    assert first.curve == (epoch(1, 0.1), epoch(2, 0.2))
    assert (second.trial_ids, second.is_running, second.curve) == (("0001",), False, ())
