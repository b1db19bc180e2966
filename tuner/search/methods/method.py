"""What a search method is: it decides which trial comes next, and what it will cost."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.space.definition import Objective, Space
from tuner.space.methods import METHODS
from tuner.space.search_settings import SearchSettings

TrialEvent = tuple[Literal["started", "ended"], Trial]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next trial, but for its number.

    Attributes:
        bracket: Bracket that it belongs to.
        rung: Rung within the bracket, from 0.
        first_epoch: From 1.
        last_epoch: Included.
        parent_id: The trial that it continues, with that one's values; None asks for a new setting.
        values: The new setting, where the method has chosen it together with the step; None asks
            the method's proposer.
    """

    bracket: int
    rung: int
    first_epoch: int
    last_epoch: int
    parent_id: str | None = None
    values: Mapping[str, Any] | None = None

    @property
    def n_epochs(self) -> int:
        """Epochs that the trial trains."""
        return self.last_epoch - self.first_epoch + 1

    def trial(self, trial_id: str, values: Mapping[str, Any]) -> Trial:
        """The trial that the step starts."""
        return Trial(
            trial_id=trial_id,
            values=values,
            bracket=self.bracket,
            rung=self.rung,
            parent_id=self.parent_id,
            first_epoch=self.first_epoch,
            last_epoch=self.last_epoch,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCost:
    """How much a search trains, if no trial fails or ends early.

    Attributes:
        n_settings: New settings.
        n_trials: Trials, promotions included.
        n_epochs: Their epochs.
        is_exact: Whether these are known beforehand; otherwise they are about right.
    """

    n_settings: int
    n_trials: int
    n_epochs: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a method is made from.

    Attributes:
        settings: The method's numbers.
        space: What is searched.
        objective: What is optimised.
        generator: Every random decision of ours comes from it; its state is logged with each start.
        seed: The seed that the generator began with.
        n_workers: Trials at a time.
        n_starts: Trials that come before the method's own: settings that the search begins with.
    """

    settings: SearchSettings
    space: Space
    objective: Objective
    generator: np.random.Generator
    seed: int
    n_workers: int
    n_starts: int = 0


class Proposer(Protocol):
    """Who proposes new settings."""

    def propose(self, board: Board, step: Step) -> Iterator[Mapping[str, Any]]:
        """Settings for a step, the best first.

        Those that were tried already or cannot be built may be among them: `Proposals` takes the
        first that will do.
        """


class Method(ABC):
    """Who promotes: which trial comes next, given the board.

    All that is special about a method is here; nothing else compares its name. What a method needs
    to keep over a restart beyond the trials and the generator it gives as `state`.

    Attributes:
        keeps_more_over_time: Whether a longer search has more checkpoints on disk at a time.
        ending: Why it has ended the search by itself, before any limit; empty where it has not.
    """

    keeps_more_over_time = False

    def __init__(self, setup: Setup) -> None:
        """Plan, with nothing started."""
        self.setup = setup
        self.is_exhausted = False
        self.ending = ""

    @property
    @abstractmethod
    def proposer(self) -> Proposer:
        """Who proposes the settings of steps that ask for new ones."""

    @abstractmethod
    def next_step(self, board: Board) -> Step | None:
        """The next trial, or None where nothing can start before another one ends."""

    @abstractmethod
    def may_promote(self, board: Board) -> set[str]:
        """Ended trials that may still be promoted; one that was left out once stays out."""

    @classmethod
    @abstractmethod
    def cost(cls, settings: SearchSettings, n_settings: int | None) -> SearchCost:
        """What a search will train.

        Args:
            settings: The method's numbers.
            n_settings: Distinct settings of the space; None where there are more than can be
                counted.
        """

    @classmethod
    @abstractmethod
    def words(cls, settings: SearchSettings) -> str:
        """The method for a report, with the numbers that mean something to it."""

    @classmethod
    def notes(cls, settings: SearchSettings, n_settings: int | None) -> tuple[str, ...]:
        """What you should know before a search begins; empty where there is nothing."""
        return ()

    @classmethod
    def stand_in(cls) -> type[Method]:
        """The method that a forecast plays through in place of this one."""
        return cls

    def no_new_settings(self) -> None:
        """The space gave no more: from now on, only promotions."""
        self.is_exhausted = True

    def state(self) -> Mapping[str, Any]:
        """What to log with the trial that has just started, as JSON."""
        return {}

    def restore(self, history: Sequence[TrialEvent], states: Sequence[Mapping[str, Any]]) -> None:
        """Be where the method was that saw all this.

        Args:
            history: Every start and end of a trial, in their order.
            states: What `state` gave with each start, in order; empty where an earlier version
                wrote the log.
        """
        return


def method_class(name: str) -> type[Method]:
    """The class of a method."""
    module, _, attribute = METHODS[name].target.partition(":")
    found: type[Method] = getattr(importlib.import_module(module), attribute)
    return found
