"""The bookkeeping: ranks, counts, and which checkpoints are needed no more."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.search.fakes import ACCURACY, by_x, ended, make_oracle, settings
from tuner.records.trial import Trial
from tuner.search.board import Board, best_settings
from tuner.search.schedule import brackets
from tuner.space.definition import Objective


def trial(
    number: int, *, rung: int = 0, parent: int | None = None, score: float | None = None
) -> Trial:
    """Every trial without a parent has a setting of its own."""
    x = number if parent is None else parent
    return Trial(
        trial_id=f"{number:04d}", values={"x": x}, bracket=0, rung=rung, first_epoch=1, last_epoch=1, score=score,
        parent_id=None if parent is None else f"{parent:04d}",
    )  # fmt: skip


def board_with(
    scores: list[float | None],
    *,
    places: int | None = 1,
    objective: Objective = ACCURACY,
    n_wanted: int = 0,
) -> Board:
    """A board whose first rung has these trials; None fails."""
    board = Board(objective, lambda bracket, rung: places if rung == 0 else 0, n_wanted)
    for number, score in enumerate(scores):
        board.start(trial(number))
        board.end(ended(trial(number), lambda _, score=score: score))
    return board


@pytest.mark.parametrize(("direction", "best"), [("max", "0002"), ("min", "0000")])
def test_best_candidate_follows_the_objectives_direction(direction: str, best: str) -> None:
    objective = Objective(name="val_loss", direction=direction)
    assert board_with([0.1, 0.2, 0.3], objective=objective).best_candidate(0, 0) == best


def test_of_equal_candidates_the_oldest_is_best_also_beyond_four_digits() -> None:
    board = Board(ACCURACY, lambda bracket, rung: None)
    for number in (9999, 10000):
        board.start(trial(number))
        board.end(trial(number, score=0.5))
    assert board.best_candidate(0, 0) == "9999"


def test_trials_stand_in_the_order_of_their_starts_and_running_ones_are_told_apart() -> None:
    board = Board(ACCURACY, lambda bracket, rung: 1)
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
    board = board_with([0.1, None, 0.3], places=2)
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
    assert board.disposable() == ["0000"]
    assert board.disposable() == []


def test_trials_beaten_by_as_many_as_there_are_places_are_disposable() -> None:
    assert board_with([0.1, 0.3, 0.2, 0.4], places=2).disposable() == ["0000", "0002"]


def test_without_a_limit_of_places_no_candidate_is_disposable() -> None:
    assert board_with([0.1, 0.3, 0.2], places=None).disposable() == []


@pytest.mark.parametrize("score", [0.9, None])
def test_parents_are_disposable_when_their_promotion_has_ended(score: float | None) -> None:
    board = board_with([0.5], places=None)
    board.start(trial(1, rung=1, parent=0))
    assert board.disposable() == []
    board.end(ended(trial(1, rung=1, parent=0), lambda _: score))
    assert sorted(board.disposable()) == ["0000", "0001"]


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize("method", ["hyperband", "asha", "random"])
def test_what_was_disposable_is_never_promoted_later(method: str, n_workers: int) -> None:
    rng = random.Random(n_workers)
    oracle = make_oracle(search=settings(27, 3, method=method))
    gone: list[str] = []
    running: list[Trial] = []
    while True:
        while len(running) < n_workers and (started := oracle.next_trial()):
            assert started.parent_id not in gone
            running.append(started)
        if not running:
            break
        chosen = running.pop(rng.randrange(len(running)))
        oracle.end(ended(chosen, lambda _: None if rng.random() < 0.1 else rng.random()))
        gone += oracle.board.disposable()
    assert len(gone) == len(set(gone))
    if method != "asha":
        assert set(gone) == set(oracle.board.trials)


def test_checkpoints_of_81_by_3_stay_few() -> None:
    oracle = make_oracle(search=settings(81, 3))
    gone, most = 0, 0
    while (started := oracle.next_trial()) is not None:
        oracle.end(ended(started, by_x))
        gone += len(oracle.board.disposable())
        most = max(most, len(oracle.board.trials) - gone)
    assert (len(oracle.board.trials), gone) == (211, 211)
    # One worker has one bracket open: those waiting below each of its rungs' places, and the
    # trial's own parent.
    assert most <= 1 + max(
        sum(rung.n_trials for rung in rungs[1:]) for rungs in brackets(settings(81, 3))
    )


def test_wanted_trials_are_disposable_once_better_settings_take_their_places() -> None:
    board = board_with([0.1, 0.3, 0.2], places=0, n_wanted=2)
    assert (board.wanted, board.disposable()) == ({"0001", "0002"}, ["0000"])
    board.start(trial(3))
    board.end(trial(3, score=0.9))
    assert (board.wanted, board.disposable()) == ({"0001", "0003"}, ["0002"])
    assert board.disposable() == []


@pytest.mark.parametrize(
    ("score", "wanted", "gone"), [(0.9, "0001", "0000"), (0.4, "0000", "0001")]
)
def test_of_a_setting_only_the_best_trial_is_wanted(score: float, wanted: str, gone: str) -> None:
    board = board_with([0.5], places=None, n_wanted=2)
    board.start(trial(1, rung=1, parent=0))
    board.end(trial(1, rung=1, parent=0, score=score))
    assert (board.wanted, board.disposable()) == ({wanted}, [gone])


def test_failed_trials_are_never_wanted() -> None:
    board = board_with([None, 0.5], n_wanted=2)
    assert (board.wanted, board.disposable()) == ({"0001"}, ["0000"])


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
    oracle = make_oracle(search=settings(27, 3, method=method), n_wanted=5)
    gone: set[str] = set()
    while (started := oracle.next_trial()) is not None:
        assert started.parent_id not in gone
        oracle.end(ended(started, lambda _: None if rng.random() < 0.1 else rng.random()))
        gone |= set(oracle.board.disposable())
    best = best_settings(oracle.board.trials.values(), ACCURACY, 5)
    assert oracle.board.wanted == {one.trial_id for one in best}
    assert not oracle.board.wanted & gone
    if method != "asha":
        assert set(oracle.board.trials) - gone == oracle.board.wanted
