"""A search without the training: a method, the board of its trials, and new settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from tuner.records.events import EpochEnded
from tuner.records.trial import NO_BRACKET, StartSetting, Trial
from tuner.search.board import Board
from tuner.search.methods.method import Method, Setup, Step, TrialEvent, method_class
from tuner.search.methods.rungs import epochs_left
from tuner.search.proposals import Proposals, nothing_to_train
from tuner.space.definition import Objective, Space
from tuner.space.sampling import has_setting
from tuner.space.search_settings import SearchSettings


class SettingSource(Protocol):
    """Where new settings come from: `Proposals`, or made up."""

    @property
    def rejected(self) -> Mapping[str, str]:
        """Why settings were never proposed, by their key."""

    def first_of(self, proposed: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The first of some settings that will do."""

    def take(self, values: Mapping[str, Any]) -> None:
        """Take a setting that is trained without having been proposed."""

    def news(self) -> dict[str, Any]:
        """What to keep for a restart."""

    def restore(
        self, tried: Iterable[Mapping[str, Any]], news: Iterable[Mapping[str, Any]]
    ) -> None:
        """Go on where another one was."""


class Study:
    """Says which trial comes next, and takes what became of it.

    Attributes:
        board: All trials and rungs.
    """

    def __init__(
        self,
        setup: Setup,
        method: Method,
        proposals: SettingSource,
        n_wanted: int = 0,
        starts: Sequence[StartSetting] = (),
    ) -> None:
        """Begin with nothing started.

        Args:
            setup: What is searched.
            method: Promotes, and names who proposes.
            proposals: Tells which proposed settings are new and can be built.
            n_wanted: The checkpoints of so many of the best settings are wanted after the search.
            starts: Settings that are trained first, each to the end whatever the rungs say; the
                method's limits do not count them.
        """
        self.board = Board(setup.objective, n_wanted)
        self._starts = starts
        self._setup, self._method, self._proposals = setup, method, proposals
        self._is_over = False

    @property
    def rejected(self) -> Sequence[str]:
        """Why settings were never proposed, a line each."""
        return tuple(self._proposals.rejected.values())

    @property
    def ending(self) -> str:
        """Why the method has ended the search by itself; empty where it has not."""
        return self._method.ending

    def next_trial(self) -> Trial | None:
        """The next trial to train, or None where there is nothing to start now.

        Raises:
            SpaceError: If no setting of the space can be built and keeps the constraints.
        """
        trial = self._known_good() or self._decided()
        if trial is not None:
            self.board.start(trial)
        elif not self.board.n_proposed and self.rejected:
            raise nothing_to_train(self._proposals.rejected)
        return trial

    def take_epoch(self, event: EpochEnded) -> None:
        """Take an epoch of a running trial."""
        self.board.report(event.task_id, event.epoch)

    def end(self, trial: Trial) -> None:
        """Take a trial that ended.

        It has a score, or the error that throws it out of its rung like the worst.
        """
        self.board.end(trial)

    def disposable(self) -> list[str]:
        """Trials that became so since the last call: their checkpoints are needed no more."""
        return self.board.release(self._method.may_promote(self.board))

    def state(self) -> dict[str, Any]:
        """What to keep beside the trial that has just started, so that `restore` can go on; JSON.

        It holds only what is new since the last call, so that it stays short however many trials
        there are.
        """
        state = self._proposals.news() | {"is_exhausted": self._method.is_exhausted}
        own = self._method.state()
        return state | {"method": dict(own)} if own else state

    def restore(self, history: Sequence[TrialEvent], states: Iterable[Mapping[str, Any]]) -> None:
        """Go on exactly as the study would have that saw all this.

        Args:
            history: Every start and end of a trial, in their order; a trial that ended has its
                score or its error.
            states: All that `state` gave, in order.

        Raises:
            ValueError: If a trial has a setting that the space does not have.
        """
        states = list(states)
        for event, trial in history:
            if event == "ended":
                self.board.end(trial)
                continue
            if not trial.origin and not has_setting(self._setup.space, trial.values):
                raise ValueError(f"trial {trial.trial_id} has a setting that is not in the space")
            self.board.start(trial)
        new = [
            trial.values
            for trial in self.board.trials.values()
            if trial.parent_id is None and trial.model is None
        ]
        self._proposals.restore(new, states)
        self._method.restore(history, [state.get("method", {}) for state in states])
        if any(state["is_exhausted"] for state in states):
            self._method.no_new_settings()

    def _known_good(self) -> Trial | None:
        """The next of the settings that the search begins with."""
        number = self.board.n_starts
        if number >= len(self._starts):
            return None
        start = self._starts[number]
        if start.model is None:
            self._proposals.take(start.values)
        return Trial(
            trial_id=f"{number:04d}",
            values=start.values,
            bracket=NO_BRACKET,
            rung=0,
            parent_id=None,
            first_epoch=1,
            last_epoch=self._setup.settings.max_epochs,
            model=start.model,
            origin=start.origin,
        )

    def _decided(self) -> Trial | None:
        limit, board = self._setup.settings.max_trials, self.board
        while not self._is_over and (limit is None or board.n_proposed < limit):
            step = self._method.next_step(board)
            if step is None:
                return None
            if step.n_epochs > epochs_left(self._setup.settings, board):
                self._is_over = True
                return None
            values = self._values(step)
            if values is not None:
                return step.trial(f"{len(board.trials):04d}", values)
            self._method.no_new_settings()
        return None

    def _values(self, step: Step) -> Mapping[str, Any] | None:
        if step.parent_id is not None:
            return self.board.trials[step.parent_id].values
        if step.values is not None:
            return step.values
        return self._proposals.first_of(self._method.proposer.propose(self.board, step))


def make_study(
    *,
    space: Space,
    objective: Objective,
    settings: SearchSettings,
    seed: int,
    problem: Callable[[Mapping[str, Any]], str | None],
    n_workers: int = 1,
    n_wanted: int = 0,
    starts: Sequence[StartSetting] = (),
) -> Study:
    """A study with the method of its settings.

    Args:
        space: What to search.
        objective: What to optimise.
        settings: The method and its numbers.
        seed: Decides every setting; 0 is a seed.
        problem: Why a setting is not to be trained, or None.
        n_workers: Trials at a time.
        n_wanted: The checkpoints of so many of the best settings are wanted after the search.
        starts: Settings that are trained first, each to the end.
    """
    proposals = Proposals(space, seed, problem)
    setup = Setup(
        settings=settings,
        space=space,
        objective=objective,
        generator=proposals.generator,
        seed=seed,
        n_workers=n_workers,
        n_starts=len(starts),
    )
    return Study(setup, method_class(settings.method)(setup), proposals, n_wanted, starts)
