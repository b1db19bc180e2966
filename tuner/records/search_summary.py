"""What a search found: the part of `results.json` that is about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from tuner.space.as_text import AsText
from tuner.space.definition import FAMILY, Direction, Parameter, by_name, spanning


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """A setting that was retrained so that validation could choose the winner.

    The search could not tell it from the best one, or it is the baseline's.

    Attributes:
        trial_id: Its trial.
        search_score: The objective in the search.
        score: The objective to expect of its retrainings (docs/adr/0068), their mean; None where
            all of them failed.
        origin: Name of the starting setting that it is, such as `baseline`; else empty.
    """

    trial_id: str
    search_score: float
    score: float | None
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSummary:
    """What was searched and found.

    Attributes:
        model: The family that was searched.
        method: The search method by the name that a space gives it.
        method_words: The method for people, with the numbers that mean something to it; empty where
            an earlier version wrote the record.
        max_epochs: Epochs of the last rung.
        factor: Reduction factor.
        iterations: How often the whole of Hyperband was run.
        objective: Metric that was optimised.
        direction: `max` or `min`.
        n_trials: Trials, promotions and what the search began with included.
        n_failed: Trials that failed.
        n_stopped: Trials that a time budget ended before their last epoch.
        n_rejected: Sampled settings that cannot be built and were never proposed as a trial.
        n_epochs: Epochs trained.
        duration_s: Seconds.
        best_trial_id: The winner's trial.
        best_score: The winner's objective.
        best_values: The winner's hyperparameters, complete.
        parameters: The hyperparameters that were searched; a name stands once for each of its
            ranges.
        n_planned: Trials that the search was to have, promotions included, as foreseen before its
            start.
        best_model: The winner's family or builder; None for the one that was searched.
        best_origin: Where the winner's setting is from if the search began with it; else empty.
        finalists: What was retrained to choose the winner; empty where nothing was to choose from.
        families: What was searched together; empty where it was `model` alone.
        best_family: The winner's of these; empty where it is of none.
        sized: What a time budget has chosen, in a line; empty where none has.
        constraints: What a model must stay under, such as `parameters <= 5,000,000`.
        n_refused: Sampled settings that were not trained, as they break a constraint.
        n_too_long: Sampled settings that `quick` or a time budget skipped, as they compute many
            times as much as the usual setting.
        n_over: Trials that failed since their trained models break one.
        ending: Why the method ended the search before its limits; empty where it did not.
        objectives: The objective, and costs to keep low; empty where there is nothing beside the
            objective. What each setting takes is in trials.csv.
        latency_noise: Share by which two latencies may differ by chance; None where none was
            measured.
        choose: Limits that chose the winner, such as `latency_ms <= 5`; empty where there were
            none, or where nothing keeps them.
    """

    model: str
    method: str
    max_epochs: int
    factor: int
    iterations: int
    objective: str
    direction: Annotated[Direction, AsText]
    n_trials: int
    n_failed: int
    n_rejected: int
    n_epochs: int
    duration_s: float
    best_trial_id: str
    best_score: float
    best_values: Mapping[str, Any]
    parameters: tuple[Parameter, ...]
    n_planned: int
    n_stopped: int = 0
    method_words: str = ""
    best_model: str | None = None
    best_origin: str = ""
    finalists: tuple[Finalist, ...] = ()
    families: tuple[str, ...] = ()
    best_family: str = ""
    sized: str = ""
    constraints: tuple[str, ...] = ()
    n_refused: int = 0
    n_too_long: int = 0
    n_over: int = 0
    ending: str = ""
    objectives: tuple[str, ...] = ()
    latency_noise: float | None = None
    choose: tuple[str, ...] = ()

    @property
    def refused(self) -> str:
        """What the constraints have refused, in words; empty where that is nothing."""
        drawn = "1 drawn setting" if self.n_refused == 1 else f"{self.n_refused:,} drawn settings"
        trials = "1 trial" if self.n_over == 1 else f"{self.n_over:,} trials"
        before = f"{drawn} refused before training" if self.n_refused else ""
        after = f"{trials} refused once trained" if self.n_over else ""
        return ", ".join(part for part in (before, after) if part)

    @property
    def winner_model(self) -> str:
        """The winner's family or builder."""
        return self.best_model or self.model

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the hyperparameters that were searched, each once."""
        return tuple(by_name(self.parameters))

    @property
    def axes(self) -> tuple[Parameter, ...]:
        """One parameter per searched name, over all ranges that it has."""
        return tuple(map(spanning, by_name(self.parameters).values()))

    @property
    def best_setting(self) -> Mapping[str, Any]:
        """The winner's hyperparameters; of several families the name of its own comes first."""
        family = {FAMILY: self.best_family} if self.best_family else {}
        return {**family, **self.best_values}

    @property
    def of_winner(self) -> tuple[Parameter, ...]:
        """The parameters of the winner's family, as its own space has them; else all of them."""
        if not self.best_family:
            return self.parameters
        return tuple(
            replace(one, conditions=tuple(c for c in one.conditions if c.parent != FAMILY))
            for one in self.parameters
            if all(c.parent != FAMILY or self.best_family in c.values for c in one.conditions)
        )

    @property
    def chosen(self) -> tuple[Parameter, ...]:
        """The searched hyperparameters active in the winner; the values of others are defaults."""
        active: dict[str, Parameter] = {}
        if self.best_origin:
            # The search began with its values, and has chosen none of them.
            return ()
        values, searched = self.best_setting, by_name(self.of_winner)
        # Parents stand before their children; one that was not searched is fixed, so always active.
        for one in self.of_winner:
            if one.name in values and all(
                (c.parent in active or c.parent not in searched)
                and values.get(c.parent) in c.values
                for c in one.conditions
            ):
                active[one.name] = one
        return tuple(active.values())
