"""What mattered in a search."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.records.scores import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterImportance:
    """How much one hyperparameter mattered.

    Attributes:
        name: The hyperparameter.
        importance: Share of explained variance of the objective that is lost where its values are
            shuffled.
    """

    name: str
    importance: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How much each hyperparameter mattered, as far as the trials can tell.

    Attributes:
        n_trials: Completed trials with a finite score.
        n_needed: Fewest of them that say anything.
        explained: Share of the variance of scores, between trials that were trained as long, that
            the fitted model explains on settings that it has not seen; None where nothing was
            fitted.
        parameters: The most important first; empty where nothing can be said.
        reason: Why it is empty; empty otherwise.
    """

    n_trials: int
    n_needed: int
    explained: float | None
    parameters: tuple[ParameterImportance, ...]
    reason: str
