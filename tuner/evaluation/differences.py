"""What the test images and the seeds say of the winner against each other model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from tuner.metrics.bootstrap import Resampled, percentile_interval, reflected_interval, resample
from tuner.metrics.significance import (
    FAR_LEVEL,
    TwoLevel,
    far_beyond_seeds,
    holm,
    mcnemar,
    plausible_seed_sd,
    two_level,
)
from tuner.records.comparison import Difference, Verdict
from tuner.records.results import ModelResult
from tuner.records.scores import Estimate

_LEVEL = 0.05
# Half an interval's width, as a share: beyond it, "no clear difference" would promise too much.
_WIDE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    """A model with what it said of the test images.

    Attributes:
        result: The model, with runs.
        right: Whether each image was found, (runs, n).
        resampled: Its scores on resampled images.
    """

    result: ModelResult
    right: np.ndarray
    resampled: Resampled

    @property
    def kept_right(self) -> np.ndarray:
        """The same of the kept run, (n,)."""
        kept: np.ndarray = self.right[[run.is_kept for run in self.result.runs].index(True)]
        return kept

    @property
    def macro_f1(self) -> float:
        """Mean over the runs."""
        return fmean(run.test.macro_f1 for run in self.result.runs)

    @property
    def calibration_error(self) -> float:
        """Mean over the runs."""
        return fmean(run.test.calibration_error for run in self.result.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Far:
    """How far a difference is beyond what seeds plausibly do, where a model has one training.

    Attributes:
        p_value: From `far_beyond_seeds`; of a comparison in the verdict it is corrected.
        seed_sd: The standard deviation over seeds that is allowed for.
    """

    p_value: float
    seed_sd: float


def compare_models(
    models: Sequence[ModelResult],
    labels: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    seed: int,
) -> tuple[tuple[ModelResult, ...], tuple[Difference, ...]]:
    """Compare the winner with each other model on the same test images.

    Args:
        models: The winner first.
        labels: True class numbers of the test images, (n,).
        predicted: Their class probabilities, (n, classes), by `NAME-SEED`, of every run of every
            model.
        seed: Of the bootstrap.

    Returns:
        The models with the intervals of macro F1 and calibration error, where they have runs, and
            one difference for
        each but the winner; none where the winner has no run.
    """
    tested = _tested([model for model in models if model.runs], labels, predicted, seed)
    found = tuple(_with_intervals(tested[model.name]) if model.runs else model for model in models)
    if not models or not models[0].runs:
        return found, ()
    winner, *others = tested.values()
    noises = [two_level(winner.right, other.right) for other in others]
    adjusted = _adjusted(others, [noise.p_value for noise in noises])
    n_comparisons = len([one for one in adjusted if one is not None])
    differences = (
        _difference(winner, other, noise, p, n_comparisons, far)
        for other, noise, p, far in zip(
            others, noises, adjusted, _all_far(winner, others, noises), strict=True
        )
    )
    return found, tuple(differences)


def _tested(
    models: Sequence[ModelResult],
    labels: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    seed: int,
) -> dict[str, _Tested]:
    if not models:
        return {}
    of_models = [[predicted[f"{model.name}-{run.seed}"] for run in model.runs] for model in models]
    resampled = resample(labels, of_models, seed)
    return {
        model.name: _Tested(
            result=model,
            right=np.stack([one.argmax(axis=1) == labels for one in of_model]),
            resampled=draws,
        )
        for model, of_model, draws in zip(models, of_models, resampled, strict=True)
    }


def _with_intervals(model: _Tested) -> ModelResult:
    return replace(
        model.result,
        macro_f1=percentile_interval(model.macro_f1, model.resampled.macro_f1),
        calibration_error=reflected_interval(
            model.calibration_error, model.resampled.calibration_error, least=0.0
        ),
    )


def _all_far(
    winner: _Tested, others: Sequence[_Tested], noises: Sequence[TwoLevel]
) -> list[_Far | None]:
    """The bounds where a model has one training; None of a comparison that needs none."""
    found = [
        _far(winner, other, noise) if noise.p_value is None else None
        for other, noise in zip(others, noises, strict=True)
    ]
    adjusted = _adjusted(others, [far.p_value if far else None for far in found])
    return [
        far if far is None or p is None else replace(far, p_value=p)
        for far, p in zip(found, adjusted, strict=True)
    ]


def _far(winner: _Tested, other: _Tested, noise: TwoLevel) -> _Far:
    seed_sd = float(plausible_seed_sd(winner.right, other.right))
    n_seeds = len(winner.right), len(other.right)
    p_value = far_beyond_seeds(noise.difference, noise.image_sd, n_seeds, seed_sd)
    return _Far(p_value=float(p_value), seed_sd=seed_sd)


def _adjusted(
    others: Sequence[_Tested], p_values: Sequence[np.ndarray | float | None]
) -> list[float | None]:
    """P values corrected for the comparisons in the verdict; None for the others."""
    pairs = enumerate(zip(others, p_values, strict=True))
    spoken = {
        number: float(p)
        for number, (other, p) in pairs
        if other.result.in_verdict and p is not None
    }
    corrected = dict(zip(spoken, holm(list(spoken.values())).tolist(), strict=True))
    return [corrected.get(number) for number in range(len(others))]


def _difference(
    winner: _Tested,
    other: _Tested,
    noise: TwoLevel,
    p_adjusted: float | None,
    n_comparisons: int,
    far: _Far | None,
) -> Difference:
    only_winner = int(np.count_nonzero(winner.kept_right & ~other.kept_right))
    only_opponent = int(np.count_nonzero(other.kept_right & ~winner.kept_right))
    difference = Difference(
        opponent=other.result.name,
        n=winner.right.shape[1],
        n_seeds=(len(winner.right), len(other.right)),
        accuracy=Estimate(
            value=float(noise.difference), low=float(noise.low), high=float(noise.high)
        ),
        image_sd=float(noise.image_sd),
        seed_sd=None if noise.seed_sd is None else float(noise.seed_sd),
        degrees_of_freedom=(
            None if noise.degrees_of_freedom is None else float(noise.degrees_of_freedom)
        ),
        p_value=None if noise.p_value is None else float(noise.p_value),
        p_adjusted=p_adjusted,
        verdict="inconclusive",
        reason="",
        macro_f1=percentile_interval(
            winner.macro_f1 - other.macro_f1, winner.resampled.macro_f1 - other.resampled.macro_f1
        ),
        calibration_error=reflected_interval(
            winner.calibration_error - other.calibration_error,
            winner.resampled.calibration_error - other.resampled.calibration_error,
            least=-1.0,
        ),
        n_only_winner=only_winner,
        n_only_opponent=only_opponent,
        mcnemar_p=float(mcnemar(only_winner, only_opponent)),
    )
    failed = _failed(winner.result, "the winner") or _failed(other.result, "the other model")
    if failed:
        return replace(difference, reason=failed)
    verdict, reason = (
        _of_one_training(difference, far) if far else _verdict(difference, n_comparisons)
    )
    return replace(difference, verdict=verdict, reason=reason)


def _of_one_training(found: Difference, far: _Far) -> tuple[Verdict, str]:
    """What may be said where a model has one training, and what it rests on."""
    if far.p_value < FAR_LEVEL:
        verdict: Verdict = "better" if found.accuracy.value > 0 else "worse"
        return verdict, _beyond(found.n_seeds, far.seed_sd)
    return "inconclusive", _one_training(found.n_seeds)


def _verdict(found: Difference, n_comparisons: int) -> tuple[Verdict, str]:
    """What may be said where both have several trainings, and why it is not more."""
    assert found.p_value is not None
    p = found.p_value if found.p_adjusted is None else found.p_adjusted
    if p < _LEVEL:
        return ("better" if found.accuracy.value > 0 else "worse"), ""
    half_width = (found.accuracy.high - found.accuracy.low) / 2
    verdict: Verdict = "inconclusive" if half_width > _WIDE else "no clear difference"
    if found.p_value < _LEVEL:
        return (
            verdict,
            (
                "the interval on its own excludes zero, but not after the correction for"
                f" {n_comparisons} comparisons"
            ),
        )
    if verdict == "inconclusive":
        return verdict, _too_little(found)
    return verdict, f"zero lies within the interval, {_ends(found.accuracy)} percentage points"


def _failed(model: ModelResult, name: str) -> str:
    """Why trainings that are missing leave the verdict open; empty where none is."""
    if not model.n_failed:
        return ""
    n_all = len(model.runs) + model.n_failed
    return (
        f"{model.n_failed} of {n_all} trainings of {name} failed, and the remaining scores may be"
        " too good"
    )


def _whose(n_seeds: tuple[int, int]) -> str:
    """Whose training stands alone."""
    if n_seeds == (1, 1):
        return "each model"
    return "the winner" if n_seeds[0] == 1 else "the other model"


def _beyond(n_seeds: tuple[int, int], seed_sd: float) -> str:
    assumed = f"a standard deviation of {100 * seed_sd:.1f}".removesuffix(".0") + " points"
    return (
        f"one training of {_whose(n_seeds)} does not show the noise of seeds, but the difference is"
        f" larger than seeds plausibly cause ({assumed} is assumed)"
    )


def _one_training(n_seeds: tuple[int, int]) -> str:
    return (
        f"one training of {_whose(n_seeds)} cannot show whether a difference is real or the noise"
        " of seeds"
    )


def _too_little(found: Difference) -> str:
    hidden = 100 * max(abs(found.accuracy.low), abs(found.accuracy.high))
    images = f"{found.n:,} test image{'s' if found.n > 1 else ''}"
    a, b = found.n_seeds
    trainings = f"{a} trainings of each model" if a == b else f"{a} and {b} trainings of the models"
    source = "the images" if found.image_sd >= (found.seed_sd or 0.0) else "the trainings"
    return (
        f"{images} and {trainings} are too few: their noise could hide a difference of up to"
        f" {hidden:.1f} percentage points, and most of it comes from {source}"
    )


def _ends(interval: Estimate) -> str:
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}".replace("-", "−")
