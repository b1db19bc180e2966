"""Where a hyperparameter's value stands on an axis from 0 to 1, the same in every chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from tuner.metrics.score_text import is_share
from tuner.records.trial import Trial
from tuner.report.text import short_percent, value_text
from tuner.space.definition import Direction, Parameter

NOT_ACTIVE = "not active"
# Of an axis of numbers, the part that they fill where "not active" stands at its end.
_NUMBERS_END = 0.82


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One axis.

    Attributes:
        name: What it shows; untrusted text.
        low: Smallest number; 0 for choices.
        high: Largest number; 0 for choices.
        log: Whether numbers stand on a logarithmic scale.
        choices: The values that stand side by side; empty for numbers.
        has_off: Whether some trials have no value; they stand at 1.
        is_whole: Whether the numbers are whole ones, so that no label is a fraction.
        is_share: Whether they are shares, which labels show in per cent.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()
    has_off: bool = False
    is_whole: bool = False
    is_share: bool = False

    @property
    def end(self) -> float:
        """Where the largest number stands."""
        return _NUMBERS_END if self.has_off else 1.0

    @property
    def step(self) -> float:
        """Distance of two categories; 0 where there is one."""
        n = len(self.choices) + self.has_off
        return 1 / (n - 1) if n > 1 else 0.0

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Positions with their labels, rising."""
        off = ((1.0, NOT_ACTIVE),) if self.has_off else ()
        return (
            *(
                (self.place(value), self._text(value))
                for value in self.choices or self._round_numbers()
            ),
            *off,
        )

    def place(self, value: Any) -> float:
        """Position of a value, at the nearer end where it is beyond.

        Something that is no value of the axis is placed at 1.
        """
        if self.choices:
            return self._place_choice(value)
        if not _is_number(value):
            return 1.0
        if self.low == self.high:
            return self.end / 2
        bounded = min(max(float(value), self.low), self.high)
        if self.log:
            return self.end * math.log(bounded / self.low) / math.log(self.high / self.low)
        return self.end * (bounded - self.low) / (self.high - self.low)

    def _text(self, value: Any) -> str:
        return f"{short_percent(value)} %" if self.is_share else value_text(value)

    def _place_choice(self, value: Any) -> float:
        if value not in self.choices:
            return 1.0
        return self.step * self.choices.index(value) if self.step else 0.5

    def _round_numbers(self) -> list[float]:
        if self.low == self.high:
            return [self.low]
        linear = MaxNLocator(4, steps=[1, 2, 5, 10], integer=self.is_whole, min_n_ticks=1)
        locator = LogLocator(numticks=5) if self.log else linear
        inside = [
            float(tick)
            for tick in locator.tick_values(self.low, self.high)
            if self.low <= tick <= self.high
        ]
        return inside if len(inside) > 1 else [self.low, self.high]


def of_parameter(parameter: Parameter, trials: Sequence[Trial]) -> Scale:
    """The axis of a hyperparameter.

    Its range, and a place for trials in which it was not active.
    """
    values = [trial.values.get(parameter.name) for trial in trials]
    choices = parameter.choices
    return Scale(
        name=parameter.name,
        low=float(parameter.low or 0),
        high=float(parameter.high or 0),
        log=parameter.log,
        choices=choices,
        has_off=any(value not in choices for value in values)
        if choices
        else not all(map(_is_number, values)),
        is_whole=parameter.kind == "int",
    )


def of_scores(scores: Sequence[float], objective: str, direction: Direction) -> Scale:
    """The axis of the objective.

    All scores but outliers on the worse side, which stand at its end.
    """
    bounded = bound_outliers(scores, direction)
    low, high = float(bounded.min()), float(bounded.max())
    return Scale(name=objective, low=low, high=high, is_share=is_share(objective))


def bound_outliers(scores: ArrayLike, direction: Direction) -> NDArray[np.float64]:
    """Scores in which none is worse than three interquartile ranges beyond the worse quartile.

    Without it one diverged loss would leave the others no room (the outer fence of Tukey,
    Exploratory Data Analysis, 1977). Scores whose quartiles are equal stay as they are.

    Args:
        scores: Finite, shape (n,).
        direction: `max` or `min`: which end is the worse one.
    """
    values = np.asarray(scores, dtype=np.float64)
    low, high = np.quantile(values, [0.25, 0.75])
    if low == high:
        return values
    reach = 3 * (high - low)
    return values.clip(min=low - reach) if direction == "max" else values.clip(max=high + reach)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
