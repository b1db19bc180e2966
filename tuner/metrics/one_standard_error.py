"""The model to use among several, by the one-standard-error rule.

Source: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984, section
3.4.3: of all models that a standard error of the best one's score cannot tell from it, take the
simplest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from statistics import fmean, variance

from tuner.records.recommendation import ValidatedModel
from tuner.space.definition import Direction, as_cost

# The objectives that are a share of the validation images.
SHARES = frozenset({"val_accuracy"})

# Models with at most so many times the fewest parameters are as small: another head on the same
# network makes it no other choice.
AS_SMALL = 1.1

# What a smaller model may cost at most, of a score between 0 and 1. A few dozen validation images
# have a standard error of several hundredths: they cannot tell the models apart, and their best
# mean is still the best guess.
MOST_GIVEN_UP = 0.02
# Of 50 images, 50 and 49 right ones are 0.02 apart, and a little more in binary fractions.
_ROUNDING = 1e-9


def rule_in_words(most: float, *, has_combinations: bool) -> str:
    """The rule as the report states it.

    Args:
        most: As of `choose`.
        has_combinations: Whether some of the models combine predictions, of several networks or of
            several views of an image.
    """
    limit = f" (at most {100 * most:g} points)" if isfinite(most) else ""
    sentences = [
        f"the smallest model within one standard error{limit} of the best validation score",
        "Sizes within 10 % count as equal",
        "Scores are smoothed over neighbouring epochs",
    ]
    if has_combinations:
        sentences += [
            "Parameters count once for each view of an image",
            "Of about the same size, a single network is preferred to a combination",
        ]
    return ". ".join(sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the rule says.

    Attributes:
        chosen: The model to use.
        level: Those that count as equally good, the best first; the chosen one is among them.
        ranked: All, the best first; those that name one class only come last.
    """

    chosen: ValidatedModel
    level: tuple[ValidatedModel, ...]
    ranked: tuple[ValidatedModel, ...]


def standard_error(scores: Sequence[float], n_images: int, *, is_share: bool) -> float:
    """Standard error of a mean over seeds.

    Two variances are added: that between the seeds, where there are several, and for a share of
    images that of a proportion. The proportion is taken two hits and two misses nearer to a half
    (Agresti and Coull, The American Statistician 52, 1998): a model without a mistake on a few
    images is not known to make none. With folds the seeds differ in their images too, so a part of
    that noise counts twice, which is on the side of the smaller model.

    Args:
        scores: One per seed.
        n_images: Validation images that they rest on, each counted once.
        is_share: Whether a score is a share of the images, as accuracy is; of other scores the
            noise between images is not known.

    Returns:
        The standard error; 0 for one score that is no share.
    """
    noise = variance(scores) / len(scores) if len(scores) > 1 else 0.0
    if is_share:
        share = (fmean(scores) * n_images + 2) / (n_images + 4)
        noise += share * (1 - share) / (n_images + 4)
    return sqrt(noise)


def choose(
    models: Sequence[ValidatedModel], direction: Direction, most: float = inf
) -> Choice | None:
    """Choose the model to use.

    A model that predicts one class for all images ranks last, whatever it scores: with
    uneven classes a small one would else be level with a network that has learnt a little. Of
    models that are about as small the better one is taken, of equal ones the first; but a single
    network before one that combines predictions, which costs more and has more to go wrong.

    Args:
        models: In the order of the run.
        direction: `max` or `min`: which scores are better.
        most: How far a score may lie behind the best one at most, whatever the standard error.

    Returns:
        The choice; None where no model has a finite score.
    """
    ranked = sorted(
        (model for model in models if isfinite(model.score)),
        key=lambda model: (model.is_constant, as_cost(model.score, direction)),
    )
    if not ranked:
        return None
    best = ranked[0]
    level = [
        model
        for model in ranked
        if model.is_constant == best.is_constant
        and abs(model.score - best.score) <= min(best.standard_error, most) + _ROUNDING
    ]
    largest = AS_SMALL * min(model.size for model in level)
    small = [model for model in level if model.size <= largest]
    return Choice(
        chosen=min(small, key=lambda model: model.is_combined),
        level=tuple(level),
        ranked=tuple(ranked),
    )
