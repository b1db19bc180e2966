"""How a space is searched: the `search:` of a file, with what a preset or a budget adds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How the space is searched.

    Attributes:
        method: One of `tuner.space.methods.METHODS`.
        max_epochs: Epochs of the last rung.
        factor: Reduction factor between rungs.
        iterations: How often the whole of Hyperband is run; the other methods get as much to do by
            default.
        max_trials: Trials at most, promotions included; None leaves the number to the method.
        max_total_epochs: Epochs of all trials together at most; None takes the sum of Hyperband,
            or sets no limit where `max_trials` is given.
        patience: Epochs without improvement of the objective after which a trial ends; None never
            ends it early.
        min_epochs: Epochs of the first rung at least.
        min_expected_gain: A search ends by itself once its model expects less of any new setting,
            in the unit of the objective; None never ends it.
        most_multiply_adds: Multiplications with an addition of one image that a drawn setting of
            the CNN family may take at most; None sets no limit. The preset or the time budget
            decides it, no file.
    """

    method: str
    max_epochs: int
    factor: int
    iterations: int
    max_trials: int | None = None
    max_total_epochs: int | None = None
    patience: int | None = None
    min_epochs: int = 1
    min_expected_gain: float | None = None
    most_multiply_adds: int | None = None
