"""What decides, apart from the bookkeeping: given the board, which trial comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuner.search.board import Board
from tuner.search.schedule import Rung, brackets, n_new_settings
from tuner.space.definition import SearchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next trial, but for its values.

    Attributes:
        bracket: Bracket that it belongs to.
        rung: Rung within the bracket, from 0.
        first_epoch: From 1.
        last_epoch: Included.
        parent_id: The trial that it continues, with that one's values; None asks for a new setting.
    """

    bracket: int
    rung: int
    first_epoch: int
    last_epoch: int
    parent_id: str | None = None


class Method(Protocol):
    """Decides; keeps nothing that the board does not tell again after a restart, but whether settings have run out."""

    def next_step(self, board: Board) -> Step | None:
        """The next trial, or None where nothing can start before another one ends."""

    def no_new_settings(self) -> None:
        """The space gave no more: from now on, only promotions."""

    def places(self, bracket: int, rung: int) -> int | None:
        """How many trials of a rung can be promoted at most; None sets no limit."""


class Hyperband:
    """Hyperband (Li et al., JMLR 18, 2018) with Keras Tuner's rung sizes, asynchronous over its brackets.

    A trial is promoted once it surely belongs to the next rung; a new bracket starts as soon as the
    present ones have nothing to start. Brackets are numbered on from iteration to iteration: with
    three to an iteration 2, 1, 0, then 5, 4, 3.
    """

    def __init__(self, settings: SearchSettings, order: Sequence[int] = ()) -> None:
        """Plan the brackets of all iterations, in the paper's order or in another one."""
        self._rungs = tuple(reversed(brackets(settings)))
        n = len(self._rungs)
        order = order or tuple(reversed(range(n)))
        self._unfinished = [
            i * n + bracket for i in range(settings.iterations) for bracket in order
        ]
        self._is_exhausted = False

    def no_new_settings(self) -> None:
        """From now on, only promotions."""
        self._is_exhausted = True

    def places(self, bracket: int, rung: int) -> int:
        """The size of the next rung; none after the last."""
        rungs = self._rungs_of(bracket)
        return rungs[rung + 1].n_trials if rung + 1 < len(rungs) else 0

    def next_step(self, board: Board) -> Step | None:
        """Fill first rungs and promote, in the oldest bracket that has something to start."""
        i = 0
        while i < len(self._unfinished):
            bracket = self._unfinished[i]
            step = self._first_rung(board, bracket) or self._promotion(board, bracket)
            if step is not None:
                return step
            if any(
                board.rung(bracket, rung).n_running for rung in range(len(self._rungs_of(bracket)))
            ):
                i += 1
            else:
                # With nothing to start and nothing running it stays so: it is never looked at
                # again.
                del self._unfinished[i]
        return None

    def _rungs_of(self, bracket: int) -> tuple[Rung, ...]:
        return self._rungs[bracket % len(self._rungs)]

    def _first_rung(self, board: Board, bracket: int) -> Step | None:
        first = self._rungs_of(bracket)[0]
        if self._is_exhausted or board.rung(bracket, 0).n_started >= first.n_trials:
            return None
        return _step(bracket, 0, first, None)

    def _promotion(self, board: Board, bracket: int) -> Step | None:
        """The best candidate of a rung that surely belongs to the next one: enough others are worse."""
        rungs = self._rungs_of(bracket)
        size = rungs[0].n_trials
        for i, rung in enumerate(rungs[1:], start=1):
            before = board.rung(bracket, i - 1)
            if i == 1 and self._is_exhausted:
                size = before.n_started
            n_losers = max(0, size - rung.n_trials)
            if before.candidates and before.n_ended - before.n_promoted > n_losers:
                return _step(bracket, i, rung, board.best_candidate(bracket, i - 1))
            # Failed trials leave the next rungs smaller than planned.
            size = min(rung.n_trials, size - before.n_failed)
        return None


class Asha:
    """ASHA (Li et al., MLSys 2020): the best of a rung go on whenever a worker is free, so that none waits for others.

    A trial is promoted when it is in the top 1/factor of its rung's ended trials; higher rungs come
    first; otherwise a new setting starts.
    """

    def __init__(self, settings: SearchSettings) -> None:
        """Plan the rungs: `max_epochs / factor^k` epochs, as in Hyperband's first bracket."""
        self._rungs = brackets(settings)[0]
        self._factor = settings.factor
        self._max_trials = settings.max_trials
        self._n_settings = n_new_settings(settings)
        self._is_exhausted = False

    @property
    def _top(self) -> int:
        return len(self._rungs) - 1

    def no_new_settings(self) -> None:
        """From now on, only promotions."""
        self._is_exhausted = True

    def places(self, bracket: int, rung: int) -> int | None:
        """Twice its share of all settings, since early promotions may turn out wrong; no limit where none is known."""
        n_settings = self._n_settings or self._max_trials
        if rung == self._top or n_settings is None:
            return 0 if rung == self._top else None
        share: int = n_settings // self._factor ** (rung + 1)
        return max(1, 2 * share)

    def next_step(self, board: Board) -> Step | None:
        """Promote, else start a new setting, else see that one trial reaches the top rung."""
        if not self._is_closing(board):
            step = self._promotion(board) or self._new_setting(board)
            if step is not None:
                return step
        return None if board.n_running or board.rung(0, self._top).ranked else self._best_on(board)

    def _is_closing(self, board: Board) -> bool:
        """Whether the trials that are left must all serve to bring one to the top rung."""
        if self._max_trials is None or not board.trials:
            return False
        highest = max(rung for rung in range(self._top + 1) if board.rung(0, rung).n_started)
        return self._max_trials - len(board.trials) <= self._top - highest

    def _promotion(self, board: Board) -> Step | None:
        for rung in reversed(range(self._top)):
            before = board.rung(0, rung)
            if before.candidates and before.candidate_rank < before.n_ended // self._factor:
                return self._promote(board, rung)
        return None

    def _new_setting(self, board: Board) -> Step | None:
        is_full = self._n_settings is not None and board.rung(0, 0).n_started >= self._n_settings
        return None if is_full or self._is_exhausted else _step(0, 0, self._rungs[0], None)

    def _best_on(self, board: Board) -> Step | None:
        highest = next(
            (rung for rung in reversed(range(self._top)) if board.rung(0, rung).candidates), None
        )
        return None if highest is None else self._promote(board, highest)

    def _promote(self, board: Board, rung: int) -> Step:
        return _step(0, rung + 1, self._rungs[rung + 1], board.best_candidate(0, rung))


class FullTraining:
    """Trains every setting to `max_epochs`; which settings, decides whoever proposes them: random, bayesian, grid."""

    def __init__(self, settings: SearchSettings) -> None:
        """Plan one rung."""
        self._rung = brackets(settings)[-1][0]
        self._n_settings = n_new_settings(settings)
        self._is_exhausted = False

    def no_new_settings(self) -> None:
        """Nothing starts any more."""
        self._is_exhausted = True

    def places(self, bracket: int, rung: int) -> int:
        """Nothing is promoted."""
        return 0

    def next_step(self, board: Board) -> Step | None:
        """A new setting, as long as there are any."""
        is_full = self._n_settings is not None and len(board.trials) >= self._n_settings
        return None if is_full or self._is_exhausted else _step(0, 0, self._rung, None)


METHODS: Mapping[str, Callable[[SearchSettings], Method]] = {
    "hyperband": Hyperband,
    "asha": Asha,
    "random": FullTraining,
    "bayesian": FullTraining,
    "grid": FullTraining,
}


def _step(bracket: int, number: int, rung: Rung, parent_id: str | None) -> Step:
    return Step(
        bracket=bracket,
        rung=number,
        first_epoch=rung.first_epoch,
        last_epoch=rung.last_epoch,
        parent_id=parent_id,
    )
