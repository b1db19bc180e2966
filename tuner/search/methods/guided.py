"""Settings drawn partly from the priors of a space, after PriorBand (Mallik et al., NeurIPS 2023).

Each new setting comes from one of three samplers: evenly, from the prior, or near the best setting
so far. How often each is taken depends on the length of the training and on the results, so that a
misleading prior loses its share. All of it follows from the board and the generator: a search that
is resumed goes on as it would have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from statistics import fmean
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from tuner.records.trial import NO_BRACKET, Trial
from tuner.search.board import Board
from tuner.search.methods.method import Setup, Step
from tuner.search.methods.rungs import brackets
from tuner.space.definition import Parameter, Space
from tuner.space.priors import draw_usual, mutated, mutation_density, usual_density
from tuner.space.sampling import active_parameters, draw, has_setting, is_active, sample, setting_of

# A weight of 0 rules a value out of the prior's draws, but must not decide the shares alone.
_LEAST_DENSITY = 1e-6
_MOST_BEST = 50
# The belief in priors: what it is without evidence, from how many settings on there is some, and of
# how many it is computed at most; a rank correlation of a quarter decides.
_UNDECIDED = 0.5
_LEAST_COMPARED = 6
_MOST_COMPARED = 100
_SLOPE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How often each sampler is taken.

    Attributes:
        even: Evenly over the space.
        prior: From the prior.
        incumbent: Near the best setting so far.
    """

    even: float
    prior: float
    incumbent: float


def has_prior(space: Space) -> bool:
    """Whether anything is usual in a space."""
    return any(parameter.prior is not None for parameter in space.parameters)


def guided(setup: Setup, board: Board, step: Step) -> Callable[[], dict[str, Any]]:
    """What draws new settings for a step; the board does not change meanwhile."""
    space, rng = setup.space, setup.generator
    best = [trial.values for trial in best_trials(setup, board)]
    share = shares(
        space,
        setup.settings.factor ** level(setup, board, step),
        best,
        is_early=is_early(setup, board),
        belief=belief(setup, board),
    )

    def drawn() -> dict[str, Any]:
        place = rng.random()
        if place < share.even:
            return sample(space, rng)
        if place < share.even + share.prior:
            return setting_of(space, lambda parameter: draw_usual(parameter, rng))
        return near(space, best[0], rng)

    return drawn


def usual_first(setup: Setup, board: Board, step: Step) -> Iterator[dict[str, Any]]:
    """The usual value of everything, before the first draw; what has none is drawn evenly."""
    is_first = not board.rung(step.bracket, step.rung).n_started
    rng = setup.generator
    if is_first and not any(is_usual(setup.space, trial.values) for trial in board.trials.values()):
        yield setting_of(setup.space, lambda parameter: mode(parameter, rng))


def mode(parameter: Parameter, rng: np.random.Generator) -> Any:
    """The usual value; where there is none, one that is drawn evenly."""
    return draw(parameter, rng) if parameter.prior is None else parameter.prior.value


def is_usual(space: Space, values: Mapping[str, Any]) -> bool:
    """Whether a setting has the usual value of everything that has one."""
    return all(
        values.get(parameter.name) == parameter.prior.value
        for parameter in active_parameters(space, values)
        if parameter.prior is not None
    )


def near(space: Space, origin: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A complete setting near another.

    What only a changed parent switches on, also another range of the name, is drawn from its prior.
    """
    had = active_parameters(space, origin)
    return setting_of(
        space,
        lambda parameter: (
            mutated(parameter, origin[parameter.name], rng)
            if parameter in had
            else draw_usual(parameter, rng)
        ),
    )


def level(setup: Setup, board: Board, step: Step) -> int:
    """How often the factor lies between a step and the shortest training so far."""
    shortest = min(step.last_epoch, board.shortest or step.last_epoch)
    return round(math.log(step.last_epoch / shortest, setup.settings.factor))


def is_early(setup: Setup, board: Board) -> bool:
    """Whether fewer epochs were started than the first bracket has.

    What is best after the shortest trainings alone is no setting to stay near.
    """
    return board.n_epochs < sum(rung.n_epochs for rung in brackets(setup.settings)[0])


def best_trials(setup: Setup, board: Board) -> list[Trial]:
    """The best of the deepest rung with enough results, as many as it promotes; the best first.

    Enough are as many as promote one; early in a search, as many as promote that many. Of very many
    only the first count, as each proposal looks at all of them.
    """
    factor = setup.settings.factor
    deepest = board.deepest(factor**2 if is_early(setup, board) else factor)
    # What a search began with may lie outside of the space, where nothing is near it.
    inside = (trial for trial in deepest if has_setting(setup.space, trial.values))
    found = list(islice(inside, factor * _MOST_BEST))
    return found[: math.ceil(len(found) / factor)]


def belief(setup: Setup, board: Board) -> float:
    """The weight of the priors, from 0 to 1; a half before there are enough scores.

    It follows the rank correlation between how usual settings are and their scores, over settings
    that were trained equally long. If the best settings alone decide the shares, a misleading prior
    costs a third more epochs (docs/adr/0060).
    """
    alike: dict[int, list[Trial]] = {}
    for trial in board.trials.values():
        is_new = trial.parent_id is None and trial.bracket != NO_BRACKET
        if is_new and trial.score is not None:
            alike.setdefault(trial.last_epoch, []).append(trial)
    compared = max(alike.values(), key=len, default=[])[:_MOST_COMPARED]
    if len(compared) < _LEAST_COMPARED:
        return _UNDECIDED
    usual = [_log_usual(setup.space, trial.values) for trial in compared]
    costs = [setup.objective.cost(trial.score) for trial in compared if trial.score is not None]
    if len(set(usual)) == 1 or len(set(costs)) == 1:
        return _UNDECIDED
    correlation = -float(spearmanr(usual, costs).statistic)
    return min(1.0, max(0.0, _UNDECIDED + _SLOPE * correlation))


def shares(
    space: Space,
    trust: int,
    best: Sequence[Mapping[str, Any]],
    *,
    is_early: bool = False,
    belief: float = 1.0,
) -> Shares:
    """How often each sampler is taken.

    At full belief the prior is taken `trust` times as often as even draws: the longer the training,
    the less is spent on those. Once there are best settings, its share is divided between the prior
    and the best of them by how likely they all are under either; the best count most. Early in a
    search, a prior under which the best are less likely than under even draws loses to those.

    Args:
        space: What is searched.
        trust: factor^level; 1 for the shortest training.
        best: The best settings, the best first; empty where it is too early to tell.
        is_early: Whether it is too early to stay near the best.
        belief: In the priors, from 0 to 1.
    """
    prior = likelihood(space, best, _usual) if best else 1.0
    if is_early or not best:
        even = 1 / (1 + trust * belief * min(1.0, prior))
        return Shares(even=even, prior=1 - even, incumbent=0.0)
    incumbent = likelihood(space, best, partial(_near, best[0]))
    # Draws near the best lose too: where a misleading prior chose the best, it is not worth staying
    # near (docs/adr/0060).
    even, share = 1 / (1 + trust * belief), belief * prior / (belief * prior + incumbent)
    return Shares(even=even, prior=(1 - even) * share, incumbent=(1 - even) * (1 - share))


def likelihood(
    space: Space,
    best: Sequence[Mapping[str, Any]],
    density: Callable[[Parameter, Mapping[str, Any]], float],
) -> float:
    """How likely the best settings are under a sampler, relative to even draws: 1 is as likely.

    That is the geometric mean of the densities of all hyperparameters that have a prior: with their
    product, of twenty hyperparameters chance alone would decide for one side entirely.

    Args:
        space: What is searched.
        best: The best settings, the best first, at least one; the best has the greatest weight.
        density: Of a hyperparameter's value in a setting.
    """
    total = 0.0
    for rank, values in enumerate(best):
        active = [p for p in active_parameters(space, values) if p.prior is not None]
        total += (len(best) - rank) * math.exp(_mean_log([density(p, values) for p in active]))
    return total / (len(best) * (len(best) + 1) / 2)


def _usual(parameter: Parameter, values: Mapping[str, Any]) -> float:
    return usual_density(parameter, values[parameter.name])


def _near(origin: Mapping[str, Any], parameter: Parameter, values: Mapping[str, Any]) -> float:
    """1, as of an even draw, where the origin has no value in this range."""
    if not is_active(parameter, origin):
        return 1.0
    return mutation_density(parameter, origin[parameter.name], values[parameter.name])


def _log_usual(space: Space, values: Mapping[str, Any]) -> float:
    active = [p for p in active_parameters(space, values) if p.prior is not None]
    return _mean_log([_usual(p, values) for p in active])


def _mean_log(densities: Sequence[float]) -> float:
    """The mean of their logarithms; 0 of none."""
    if not densities:
        return 0.0
    return fmean(math.log(max(density, _LEAST_DENSITY)) for density in densities)
