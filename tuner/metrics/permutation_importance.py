"""How much each hyperparameter mattered: permutation importance of a random forest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuner.records.importance import Importance, ParameterImportance
from tuner.records.scores import Estimate
from tuner.records.trial import Trial
from tuner.space.definition import Direction, Parameter, by_name, spanning
from tuner.space.sampling import is_active

# More trials change the ranking little, and take long.
MAX_TRIALS = 1000
# Below this share of explained variance a ranking would be one of noise.
MIN_EXPLAINED = 0.1
MIN_SETTINGS = 10
N_RESAMPLES = 20

Floats = NDArray[np.float64]


def scored(trials: Sequence[Trial]) -> list[Trial]:
    """Those that were trained to their end and have a finite score."""
    return [
        t
        for t in trials
        if t.status == "completed" and t.score is not None and math.isfinite(t.score)
    ]


def n_needed(n_parameters: int) -> int:
    """Fewest scored trials that may say anything about so many hyperparameters."""
    return max(30, 5 * n_parameters)


def bound_outliers(scores: ArrayLike, direction: Direction) -> Floats:
    """Scores in which none is worse than three interquartile ranges beyond the worse quartile.

    Without it one diverged loss would be all of the variance (the outer fence of Tukey, Exploratory
    Data Analysis, 1977). Scores whose quartiles are equal stay as they are.

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


def importance(
    trials: Sequence[Trial], parameters: Sequence[Parameter], direction: Direction, seed: int
) -> Importance:
    """Permutation importance of a random forest (Breiman, Machine Learning 45, 2001, 5-32).

    A forest is fitted on a resample of the settings and judged on the settings that were not drawn,
    a promotion always on the side of its parent. Scores count relative to the mean of all trials
    that were trained as long, and that length is an input of the forest: a search trains its better
    settings longer, which must make no hyperparameter look important.

    A hyperparameter that switches others on is shuffled together with them, and one that was off in
    some trials among those where it was on, so that no setting arises that could not have been
    drawn. One with several ranges is shuffled within each of them, for the same reason.

    Args:
        trials: In any state; at most `MAX_TRIALS` of the scored ones are used, drawn at random.
        parameters: The searched hyperparameters; a name stands once for each of its ranges.
        direction: Of the objective, `max` or `min`.
        seed: Decides every draw.

    Returns:
        Means and 95 % ranges over `N_RESAMPLES` resamples of the loss of R2 that shuffling causes;
            it passes 1 where
        the shuffled forest is worse than a constant. Empty, with the reason, where the trials
            cannot tell.
    """
    ranges = by_name(parameters)
    usable, needed = scored(trials), n_needed(len(ranges))

    def nothing(reason: str, explained: float | None = None) -> Importance:
        return Importance(
            n_trials=len(usable), n_needed=needed, explained=explained, parameters=(), reason=reason
        )

    if not parameters:
        return nothing("no hyperparameter was searched.")
    if len(usable) < needed:
        return nothing(
            f"{len(usable)} trials completed with a score, and at least {needed} are needed: 30,"
            " and five for each searched hyperparameter."
        )
    generator = np.random.default_rng(seed)
    used = _sample(usable, generator)
    settings = _settings(used)
    n_settings = int(settings.max()) + 1
    if n_settings < MIN_SETTINGS:
        return nothing(
            f"only {n_settings} different settings were tried, and at least {MIN_SETTINGS} are"
            " needed."
        )
    targets = _targets(used, direction)
    if np.ptp(targets) < 1e-12:
        return nothing("all trials that were trained as long have the same score.")
    rounds = list(_rounds(used, ranges, targets, settings, generator))
    explained = fmean(share for share, _ in rounds)
    if explained < MIN_EXPLAINED:
        return nothing(
            f"the searched hyperparameters explain {100 * max(0.0, explained):.0f} % of the"
            f" variance of scores, which is too little to rank them ({100 * MIN_EXPLAINED:.0f} %"
            " are needed): they mattered little within their ranges, or chance mattered more.",
            explained,
        )
    found = [
        ParameterImportance(name=name, importance=_estimate([losses[i] for _, losses in rounds]))
        for i, name in enumerate(ranges)
    ]
    return Importance(
        n_trials=len(usable),
        n_needed=needed,
        explained=explained,
        parameters=tuple(sorted(found, key=lambda one: -one.importance.value)),
        reason="",
    )


def _sample(trials: list[Trial], generator: np.random.Generator) -> list[Trial]:
    if len(trials) <= MAX_TRIALS:
        return trials
    return [trials[i] for i in np.sort(generator.choice(len(trials), MAX_TRIALS, replace=False))]


def _settings(trials: Sequence[Trial]) -> NDArray[np.intp]:
    """Number of each trial's setting, from 0; shape (n,)."""
    numbers: dict[str, int] = {}
    keys = [repr(sorted(trial.values.items())) for trial in trials]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)


def _targets(trials: Sequence[Trial], direction: Direction) -> Floats:
    """Scores less the mean of those that were trained as long, shape (n,)."""
    targets = np.array([trial.score for trial in trials], dtype=np.float64)
    depths = np.array([trial.last_epoch for trial in trials])
    for depth in np.unique(depths):
        bounded = bound_outliers(targets[depths == depth], direction)
        targets[depths == depth] = bounded - bounded.mean()
    return targets


def _rounds(
    trials: Sequence[Trial],
    ranges: Mapping[str, Sequence[Parameter]],
    targets: Floats,
    settings: NDArray[np.intp],
    generator: np.random.Generator,
) -> Iterator[tuple[float, list[float]]]:
    """Per resample: R2 on settings that were not drawn, and its loss by shuffling a parameter."""
    # Importing it takes two seconds, and showing stored importance does not need it.
    from sklearn.ensemble import RandomForestRegressor

    values = [trial.values for trial in trials]
    blocks = [_encode(spanning(found), values) for found in ranges.values()]
    groups = [
        _groups(block, found, values) for block, found in zip(blocks, ranges.values(), strict=True)
    ]
    together = [_with_dependants(i, list(ranges.values())) for i in range(len(ranges))]
    depth = np.array([[trial.last_epoch] for trial in trials], dtype=np.float64)
    n_settings, variance = int(settings.max()) + 1, float(targets.var())
    for _ in range(N_RESAMPLES):
        weights = _drawn(n_settings, generator)[settings]
        drawn, left = weights > 0, np.flatnonzero(weights == 0)
        forest = RandomForestRegressor(
            n_estimators=30,
            min_samples_leaf=2,
            max_features=0.5,
            random_state=int(generator.integers(2**31)),
        )
        forest.fit(np.hstack([*blocks, depth])[drawn], targets[drawn], sample_weight=weights[drawn])
        seen = [block[left] for block in blocks]
        versions = [
            seen,
            *(
                _shuffled(seen, groups[i][left], members, generator)
                for i, members in enumerate(together)
            ),
        ]
        predicted = forest.predict(
            np.vstack([np.hstack([*version, depth[left]]) for version in versions])
        )
        errors = ((predicted.reshape(len(versions), -1) - targets[left]) ** 2).mean(axis=1)
        # Of all trials' variance: that of a few left-out ones would be a number of chance.
        yield (
            1 - float(errors[0]) / variance,
            [float(error - errors[0]) / variance for error in errors[1:]],
        )


def _drawn(n_settings: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """How often each setting is drawn.

    Of a few settings all may be drawn, and then none would be left to judge by.
    """
    while True:
        counts = np.bincount(generator.integers(n_settings, size=n_settings), minlength=n_settings)
        if (counts == 0).any():
            return counts


def _encode(parameter: Parameter, values: Sequence[Mapping[str, Any]]) -> Floats:
    """Columns of one parameter, (n, columns); NaN, which trees branch on, where it is off."""
    name, choices = parameter.name, parameter.choices
    if all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in choices):
        numbers = np.array([_number(row.get(name)) for row in values])[:, None]
        if parameter.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.log(numbers)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    # The first choice is where none of the others is.
    rows = [
        (
            [row[name] == choice for choice in choices[1:]]
            if name in row
            else [math.nan] * (len(choices) - 1)
        )
        for row in values
    ]
    return np.array(rows, dtype=np.float64).reshape(len(values), -1)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _groups(
    block: Floats, ranges: Sequence[Parameter], values: Sequence[Mapping[str, Any]]
) -> NDArray[np.intp]:
    """The range that each trial's value is from, from 0; -1 where the name is off; shape (n,)."""
    if len(ranges) == 1:
        has_value = ~np.isnan(block).all(axis=1) if block.size else np.zeros(len(values), np.bool_)
        return np.where(has_value, 0, -1)
    found = [next((i for i, one in enumerate(ranges) if is_active(one, row)), -1) for row in values]
    return np.array(found, dtype=np.intp)


def _with_dependants(index: int, ranges: Sequence[Sequence[Parameter]]) -> list[int]:
    """The parameter and all that it switches on, directly or not; parents stand before children."""
    names = {ranges[index][0].name}
    members = [index]
    for i, found in enumerate(ranges):
        if any(condition.parent in names for one in found for condition in one.conditions):
            names.add(found[0].name)
            members.append(i)
    return members


def _shuffled(
    blocks: list[Floats],
    groups: NDArray[np.intp],
    members: list[int],
    generator: np.random.Generator,
) -> list[Floats]:
    order = np.arange(len(groups))
    for group in range(int(groups.max(initial=-1)) + 1):
        active = np.flatnonzero(groups == group)
        order[active] = generator.permutation(active)
    return [block[order] if i in members else block for i, block in enumerate(blocks)]


def _estimate(values: Sequence[float]) -> Estimate:
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(value=fmean(values), low=float(low), high=float(high))
