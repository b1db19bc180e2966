"""What mattered in a search."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.records.scores import Estimate

# How often scores without any relation to the settings may look as strong. The usual 5 %: it
# bounds the share of searches without any effect that show one.
MAX_CHANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterImportance:
    """How much one hyperparameter mattered, or one group of them.

    Attributes:
        name: The hyperparameter, or the group.
        importance: Share of the variance of the settings' ranks that it explains beyond what chance
            would, with its 95 % range over resamples of the settings. In records without `chance`:
            the share of the scores' variance that a random forest loses where it is shuffled.
        members: Names of the hyperparameters of the group; empty where it is just the one.
        chance: Share of shuffles of the scores in which any group looked as strong; None in
            records of earlier versions.
        n_settings: Settings in which it was active; None in records of earlier versions.
        places: 95 % range of its place in the ranking over the resamples, from 1; None in records
            of earlier versions.
    """

    name: str
    importance: Estimate
    members: tuple[str, ...] = ()
    chance: float | None = None
    n_settings: int | None = None
    places: tuple[int, int] | None = None

    @property
    def is_told(self) -> bool:
        """Whether it can be told apart from chance."""
        return self.importance.low > 0 if self.chance is None else self.chance <= MAX_CHANCE

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the hyperparameters that it speaks of."""
        return self.members or (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How much each hyperparameter mattered, as far as the trials can tell.

    Attributes:
        n_trials: Completed trials with a finite score.
        parameters: The most important first; empty where nothing can be told apart from chance.
        reason: Why it is empty; empty otherwise.
        n_settings: Different settings that the ranking rests on; None in records of earlier
            versions, whose importance is that of a random forest.
    """

    n_trials: int
    parameters: tuple[ParameterImportance, ...]
    reason: str
    n_settings: int | None = None
