"""How much each hyperparameter mattered: what it explains of the settings' ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.metrics.setting_columns import Member, group_members, groups_of, has_values
from tuner.records.importance import MAX_CHANCE, Importance, ParameterImportance
from tuner.records.scores import Estimate
from tuner.records.trial import Trial
from tuner.space.definition import Direction, Parameter, as_cost

# More settings change the ranking little, and take long.
MAX_SETTINGS = 1000
# The smallest chance that can be seen is one in so many.
N_SHUFFLES = 2000
N_RESAMPLES = 200
# A hyperparameter of which chance alone would explain more says nothing.
_MOST_BY_CHANCE = 0.5

Floats = NDArray[np.float64]
Groups = Sequence[Sequence[Member]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Settings as a search has ranked them.

    Attributes:
        trials: One per setting: its longest training.
        brackets: Number of each one's bracket, from 0; shape (n,).
        ranks: The better, the higher; mean 0 and variance 1 in each bracket; shape (n,).
    """

    trials: tuple[Trial, ...]
    brackets: NDArray[np.intp]
    ranks: Floats


def scored(trials: Sequence[Trial]) -> list[Trial]:
    """Those that were trained to their end and have a finite score."""
    return [
        t
        for t in trials
        if t.status == "completed" and t.score is not None and math.isfinite(t.score)
    ]


def importance(
    trials: Sequence[Trial], parameters: Sequence[Parameter], direction: Direction, seed: int
) -> Importance:
    """Share of the settings' ranks that each hyperparameter explains, and whether it may be chance.

    The ranks are those of `rank_settings`. A linear and a squared term of an ordered value, or a
    term for each choice, explain a share of their variance (a one-way analysis of variance, per
    hyperparameter); what they would explain of shuffled ranks is taken off (Ezekiel, Methods of
    Correlation Analysis, 1930). Shares of a group's members add up.

    A group is told apart from chance by its p value, which a permutation test adjusts for the
    number of groups: shuffles of the ranks within their brackets give the distribution of the
    smallest p value of any group (Westfall and Young, Resampling-Based Multiple Testing, 1993).
    Where nothing matters, at most `MAX_CHANCE` of all searches show anything.

    Args:
        trials: In any state; settings from outside of the space are left out, and at most
            `MAX_SETTINGS` are used, drawn at random.
        parameters: The searched hyperparameters.
        direction: Of the objective, `max` or `min`.
        seed: Decides every draw.

    Returns:
        The groups with 95 % ranges over `N_RESAMPLES` resamples of the settings, the most important
            first. Empty, with the reason, where nothing can be told apart from chance.
    """
    generator = np.random.default_rng(seed)
    usable = scored(trials)
    # What a search began with was not drawn from the space.
    inside = [t for t in usable if not t.origin and has_values(parameters, t.values)]
    ranked = rank_settings(inside, direction, generator)
    n_settings, names = len(ranked.trials), groups_of(parameters)

    def result(reason: str, rows: Sequence[ParameterImportance] = ()) -> Importance:
        return Importance(
            n_trials=len(usable), n_settings=n_settings, parameters=tuple(rows), reason=reason
        )

    if not names:
        return result("no hyperparameter was searched.")
    if not ranked.ranks.any():
        return result(_no_order(n_settings))
    groups = [
        group_members(group, [trial.values for trial in ranked.trials]) for group in names.values()
    ]
    own, once = ranked.ranks[None], np.ones((1, n_settings))
    shares = explained(groups, ranked.brackets, own, once)[:, 0, 0]
    shuffled = explained(groups, ranked.brackets, _shuffled(ranked, generator), once)[:, 0]
    chances = adjusted_chances(shares, shuffled)
    if chances.min() > MAX_CHANCE:
        return result(_all_chance(n_settings, float(chances.min()), shuffled))
    weights = _resamples(ranked, generator)
    resampled = explained(groups, ranked.brackets, own, weights)[:, :, 0]
    places = 1 + (resampled > resampled[:, None]).sum(axis=1)
    rows = [
        ParameterImportance(
            name=name,
            members=tuple(dict.fromkeys(p.name for p in members)) if len(members) > 1 else (),
            importance=_estimate(shares[i], resampled[i]),
            chance=float(chances[i]),
            n_settings=len({int(row) for member in groups[i] for row in member.rows}),
            places=_places(places[i]),
        )
        for i, (name, members) in enumerate(names.items())
    ]
    return result("", sorted(rows, key=lambda row: (row.chance, -row.importance.value)))


def rank_settings(
    trials: Sequence[Trial], direction: Direction, generator: np.random.Generator
) -> Ranked:
    """The settings in the order in which the search itself has put them.

    Scores of different lengths of training cannot be compared. Within a bracket a promotion says
    that a setting was better than those that stayed behind: the longer trained come first, and
    among those that were trained as long the better score. Settings of different brackets, which
    began with different lengths, are never compared.

    Args:
        trials: With finite scores.
        direction: Of the objective.
        generator: Draws `MAX_SETTINGS` of more settings.
    """
    longest: dict[str, Trial] = {}
    for trial in sorted(trials, key=lambda trial: trial.last_epoch):
        longest[repr(sorted(trial.values.items()))] = trial
    kept = tuple(longest.values())
    if len(kept) > MAX_SETTINGS:
        drawn = np.sort(generator.choice(len(kept), MAX_SETTINGS, replace=False))
        kept = tuple(kept[i] for i in drawn)
    brackets = np.unique([trial.bracket for trial in kept], return_inverse=True)[1]
    keys = [(trial.last_epoch, -as_cost(trial.score or 0.0, direction)) for trial in kept]
    order = {key: place for place, key in enumerate(sorted(set(keys)))}
    places = np.array([order[key] for key in keys], dtype=np.float64)
    ranks = np.zeros(len(kept))
    for bracket in range(int(brackets.max(initial=-1)) + 1):
        among = brackets == bracket
        _, order_of, counts = np.unique(places[among], return_inverse=True, return_counts=True)
        # Equal settings share the mean of their ranks.
        own = (counts.cumsum() - (counts - 1) / 2)[order_of]
        if np.ptp(own) > 0:
            ranks[among] = (own - own.mean()) / own.std(ddof=1)
    return Ranked(trials=kept, brackets=brackets, ranks=ranks)


def explained(groups: Groups, brackets: NDArray[np.intp], ranks: Floats, weights: Floats) -> Floats:
    """Share of the ranks' variance that each group explains beyond chance.

    Args:
        groups: The members of each.
        brackets: Number of each setting's bracket, shape (n,).
        ranks: A row for each ranking, shape (rankings, n).
        weights: A row for each resample: how often a setting counts, shape (resamples, n).

    Returns:
        Shape (groups, resamples, rankings).
    """
    found = np.zeros((len(groups), len(weights), len(ranks)))
    for group, members in enumerate(groups):
        for member in members:
            rows = member.rows
            part = weights[:, rows].sum(axis=1) / weights.sum(axis=1)
            shares = _shares(member.columns, brackets[rows], ranks[:, rows], weights[:, rows])
            found[group] += part[:, None] * shares
    return found


def _shares(columns: Floats, brackets: NDArray[np.intp], ranks: Floats, weights: Floats) -> Floats:
    """What columns explain of rankings within the brackets, beyond chance; (resamples, rankings).

    Least squares by the normal equations: there are few columns, each between -1 and 1.
    """
    inside = (brackets == np.unique(brackets)[:, None]).astype(np.float64)
    parts = weights[:, None] * inside
    sizes = np.maximum(parts.sum(axis=2), 1e-300)
    means = parts @ columns / sizes[..., None]
    centred = columns - inside.T @ means
    weighted = weights[..., None] * centred
    inverse = np.linalg.pinv(np.swapaxes(centred, 1, 2) @ weighted, rcond=1e-9, hermitian=True)
    sums = ranks @ weighted
    left = weights @ (ranks**2).T - (((parts @ ranks.T) ** 2) / sizes[..., None]).sum(axis=1)
    share = ((sums @ inverse) * sums).sum(axis=2) / np.maximum(left, 1e-300)
    # All ranks have the same variance, whatever their order: the mean over all orders is exact.
    free = (sizes - (parts**2).sum(axis=2) / sizes).sum(axis=1)
    used = ((weighted @ inverse) * weighted).sum(axis=(1, 2))
    by_chance = (used / np.maximum(free, 1e-300))[:, None]
    is_sound = (left > 1e-9) & (free[:, None] > 1e-9) & (by_chance <= _MOST_BY_CHANCE)
    return np.where(is_sound, (share - by_chance) / np.maximum(1 - by_chance, 0.1), 0.0)


def _shuffled(ranked: Ranked, generator: np.random.Generator) -> Floats:
    """The ranks, shuffled within brackets; (shuffles, n)."""
    found = np.repeat(ranked.ranks[None], N_SHUFFLES, axis=0)
    for among in _by_bracket(ranked):
        found[:, among] = generator.permuted(found[:, among], axis=1)
    return found


def _resamples(ranked: Ranked, generator: np.random.Generator) -> Floats:
    """How often each setting is drawn, as many as there are of each bracket; (resamples, n)."""
    found = np.zeros((N_RESAMPLES, len(ranked.ranks)))
    for among in _by_bracket(ranked):
        even = np.full(len(among), 1 / len(among))
        found[:, among] = generator.multinomial(len(among), even, size=N_RESAMPLES)
    return found


def _by_bracket(ranked: Ranked) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(ranked.brackets == bracket) for bracket in np.unique(ranked.brackets)]


def adjusted_chances(shares: Floats, shuffled: Floats) -> Floats:
    """How often any group of shuffled ranks looks as strong as each group does, (groups,).

    Groups are compared by their p values: of many members or choices a larger share is explained
    by chance.

    Args:
        shares: Of the ranks as they are, shape (groups,).
        shuffled: Of shuffled ranks, shape (groups, shuffles).
    """
    # Orders that differ by a rounding are equal: of few settings there are few orders.
    together = np.column_stack([shares, shuffled]).round(9)
    # The ranks as they are count as one of the shuffles, which keeps the test exact.
    n = together.shape[1]
    n_below = np.stack([np.searchsorted(np.sort(row), row) for row in together])
    p_values = (n - n_below) / n
    smallest = p_values.min(axis=0)
    found: Floats = (smallest <= p_values[:, :1]).mean(axis=1)
    return found


def _estimate(value: float, resampled: Floats) -> Estimate:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Estimate(value=float(value), low=float(low), high=float(high))


def _places(places: NDArray[np.intp]) -> tuple[int, int]:
    low, high = np.quantile(places, [0.025, 0.975])
    return math.floor(low), math.ceil(high)


def _no_order(n_settings: int) -> str:
    if n_settings < 2:
        return f"{'only one' if n_settings else 'no'} setting of the space has a score."
    return (
        f"the {n_settings} settings cannot be ranked, because those of a bracket have the same"
        " score."
    )


def _all_chance(n_settings: int, chance: float, shuffled: Floats) -> str:
    """Why nothing is shown, and how much a hyperparameter would have had to explain."""
    n, per_group = shuffled.shape[1], MAX_CHANCE / len(shuffled)
    needed = float(np.median(np.quantile(shuffled, 1 - per_group, axis=1)))
    # Few settings have few orders: the best of them then comes up too often.
    reached = (shuffled.round(9) >= shuffled.round(9).max(axis=1, keepdims=True)).mean(axis=1)
    how_much = (
        f"A hyperparameter would have to explain about {100 * needed:.0f} % of the variance of the"
        " ranks to stand out from chance."
        if reached.min() <= per_group
        else "This many settings cannot show more than chance, whatever their scores."
    )
    return (
        f"among {n_settings} settings, any pattern may be chance. In {100 * chance:.0f} % of {n:,}"
        " shuffles of the ranks, some hyperparameter looked as important as the strongest one here;"
        f" the limit is {100 * MAX_CHANCE:.0f} %. {how_much}"
    )
