"""How much of a search and of a retraining fits a time budget.

Sizes stand on a ladder. Each rung of it does at least as much of everything that a verdict needs as
the one below, so that a longer budget never buys fewer epochs of the last rung or fewer seeds. The
highest rung whose simulated time fits is chosen.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from tuner.planning.forecast import Forecast, Known, forecast
from tuner.records.contender import Contender
from tuner.retrain.contenders import BASELINE, most_epochs
from tuner.search.methods.method import SearchCost, method_class
from tuner.space.methods import METHODS
from tuner.space.retrain_settings import RetrainSettings
from tuner.space.search_settings import SearchSettings

# Optimizer steps of a first rung at least, as measured (docs/adr/0039): shorter ones rank settings
# by how they start.
FIRST_RUNG_STEPS = 250

# With two seeds a verdict is a tested one, and three are what the presets train at least.
FEW_SEEDS, TESTED_SEEDS = 2, 3

# With fewer new settings, a search is hardly one. Of fewer than eight, none is given up for larger
# networks or further models.
FEWEST_SETTINGS, FEW_SETTINGS = 4, 8

# The best of still more settings would owe its score to chance.
MAX_ITERATIONS = 20

# Simulated runs of each size: a dozen sizes are tried while the budget passes.
_N_RUNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a size may not change, or not exceed.

    Attributes:
        retrain: As preset, space and options give it: its epochs and seeds are ceilings.
        keeps_depth: Whether you have stated the epochs of the last rung.
        keeps_number: Whether you have stated how many trials, epochs or iterations there are.
        keeps_epochs: Whether you have stated the epochs of the retraining.
        keeps_seeds: Whether you have stated its seeds.
    """

    retrain: RetrainSettings
    keeps_depth: bool = False
    keeps_number: bool = False
    keeps_epochs: bool = False
    keeps_seeds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a run does.

    Attributes:
        min_epochs: Epochs of the first rung.
        max_epochs: Epochs of the last rung.
        iterations: As of `SearchSettings`.
        retrain_epochs: Most epochs of a retraining.
        n_seeds: Retrainings of each model.
        n_verdict_seeds: Retrainings of finalists and baseline.
    """

    min_epochs: int
    max_epochs: int
    iterations: int
    retrain_epochs: int
    n_seeds: int
    n_verdict_seeds: int

    def of_search(self, search: SearchSettings) -> SearchSettings:
        """A search of this size."""
        return replace(
            search,
            min_epochs=self.min_epochs,
            max_epochs=self.max_epochs,
            iterations=self.iterations,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The largest size that fits.

    Attributes:
        size: How much is done.
        number: Which of the variants it is of, from 0.
        known: What its forecast is made of.
        forecast: What it takes; of a search that is cut, with as much of it as must fit.
        is_cut: Whether you have stated more settings than fit: the deadline cuts the search.
        fits: Whether it fits; False where even the smallest size does not, which this is then.
    """

    size: Size
    number: int
    known: Known
    forecast: Forecast
    is_cut: bool
    fits: bool


def fitted(variants: Sequence[Known], bounds: Bounds, left_s: float, seed: int) -> Fitted:
    """The largest size that ends in time.

    Nothing that a variant does more than the leanest one may make the search shallower, leave it
    fewer than `FEW_SETTINGS`, or cost the verdict a seed: the fullest that does not is chosen.

    Args:
        variants: Costs of the fullest run first, of the leanest last; at least one.
        bounds: What you have stated.
        left_s: Seconds that there are.
        seed: Decides what chance decides in the simulations.
    """
    sizes = list(ladder(variants[0], bounds))
    *fuller, leanest = (
        replace(_highest(known, sizes, left_s, seed), number=number)
        for number, known in enumerate(variants)
    )
    as_deep = (one for one in fuller if one.fits and _is_as_deep(one, leanest))
    return next(as_deep, leanest)


def _is_as_deep(one: Fitted, other: Fitted) -> bool:
    return all(a >= b for a, b in zip(_depth(one), _depth(other), strict=True))


def _depth(found: Fitted) -> tuple[int, int, int]:
    size, known = found.size, found.known
    cost = method_class(known.search.method).cost(known.search, known.n_settings)
    return size.max_epochs, size.n_verdict_seeds, min(cost.n_settings, FEW_SETTINGS)


def ladder(known: Known, bounds: Bounds) -> Iterator[Size]:
    """All sizes, the smallest first.

    Two seeds come first of all. Each depth then gets, in this order: `FEWEST_SETTINGS`, or more
    where these cost less than what comes next; retrainings of `factor` times its epochs, up to what
    preset and space allow; a third seed, once settings are trained for half of `FIRST_RUNG_STEPS`;
    and more iterations, until the next depth costs no more than another one. All seeds that the
    preset trains come once the search is as deep as it may be.
    """
    depths = list(_depths(known, bounds))
    own = max(bounds.retrain.seeds, bounds.retrain.cheap_seeds or 0)
    few, tested, n_seeds = min(FEW_SEEDS, own), min(TESTED_SEEDS, own), 1

    def size(depth: int, iterations: int, epochs: int, seeds: int) -> Size:
        # Nothing is repeated where there is no baseline.
        others = n_seeds if has_baseline(known) else seeds
        stated = bounds.retrain.seeds
        return Size(
            min_epochs=min(_first(known, bounds), depth),
            max_epochs=depth,
            iterations=known.search.iterations if bounds.keeps_number else iterations,
            retrain_epochs=(
                bounds.retrain.epochs if bounds.keeps_epochs else min(bounds.retrain.epochs, epochs)
            ),
            n_seeds=stated if bounds.keeps_seeds else others,
            n_verdict_seeds=stated if bounds.keeps_seeds else seeds,
        )

    epochs, seeds = depths[0], few
    yield size(depths[0], 1, epochs, 1)
    yield size(depths[0], 1, epochs, few)
    for depth, deeper in zip(depths, [*depths[1:], None], strict=True):
        epochs, longer = max(epochs, depth), known.search.factor * depth
        n_few = _n_few(known, bounds, depth)
        instead = _n_instead(known, bounds, depth, (longer - epochs) * seeds)
        for iterations in range(n_few, 1 + max(n_few, instead)):
            yield size(depth, iterations, epochs, seeds)
        epochs = longer
        yield size(depth, n_few, epochs, seeds)
        if depth > depths[0] and 2 * depth >= _first(known, bounds):
            seeds = tested
            yield size(depth, n_few, epochs, seeds)
        if deeper is None:
            seeds, n_seeds = own, bounds.retrain.seeds
            yield size(depth, n_few, epochs, seeds)
        for iterations in range(n_few + 1, _n_iterations(known, bounds, depth, deeper)):
            yield size(depth, iterations, epochs, seeds)


def resized(known: Known, size: Size) -> Known:
    """What a run of this size is made of."""
    retrain = replace(known.retrain, epochs=size.retrain_epochs)

    def sized(one: Contender) -> Contender:
        # What has a schedule of its own keeps it.
        if one.max_epochs != most_epochs(known.retrain, one.model, one.values):
            return one
        return replace(one, max_epochs=most_epochs(retrain, one.model, one.values))

    return replace(
        known,
        search=size.of_search(known.search),
        contenders=[(sized(contender), cost) for contender, cost in known.contenders],
        n_seeds=size.n_seeds,
        n_repeats=size.n_verdict_seeds - size.n_seeds,
        limits_s=(math.inf, math.inf),
    )


def has_baseline(known: Known) -> bool:
    """Whether the comparison has the baseline."""
    return any(contender.name == BASELINE for contender, _ in known.contenders)


def _highest(known: Known, sizes: Sequence[Size], left_s: float, seed: int) -> Fitted:
    """The largest size that fits, or the smallest."""

    def needed(size: Size) -> Forecast:
        sized = resized(known, size)
        return forecast(replace(sized, search=_least(sized.search)), seed, _N_RUNS)

    n_fitting = bisect_left(sizes, True, key=lambda size: needed(size).total_s.high > left_s)
    size = sizes[max(0, n_fitting - 1)]
    sized = resized(known, size)
    found = forecast(sized, seed, _N_RUNS)
    is_cut = n_fitting > 0 and found.total_s.high > left_s
    return Fitted(
        size=size,
        number=0,
        known=sized,
        forecast=needed(size) if is_cut else found,
        is_cut=is_cut,
        fits=n_fitting > 0,
    )


def _least(search: SearchSettings) -> SearchSettings:
    """As much as must fit of a search whose trials or epochs you have limited: one iteration.

    `--max-trials 1000000` asks for all that there is time for.
    """
    if search.max_trials is None and search.max_total_epochs is None:
        return search
    one = replace(search, iterations=1, max_trials=None, max_total_epochs=None)
    cost = method_class(search.method).cost(one, None)
    return replace(
        search,
        max_trials=search.max_trials and min(search.max_trials, cost.n_trials),
        max_total_epochs=search.max_total_epochs and min(search.max_total_epochs, cost.n_epochs),
    )


def steps_per_epoch(known: Known) -> float:
    """Optimizer steps of an epoch of a usual setting."""
    batch_size = median(cost.step_s / cost.image_s for cost in known.costs)
    return known.n_train / batch_size


def _most(known: Known, bounds: Bounds) -> int:
    """Epochs of the last rung at most: no more than a retraining trains."""
    if bounds.keeps_depth:
        return known.search.max_epochs
    return min(bounds.retrain.epochs, known.search.max_total_epochs or bounds.retrain.epochs)


def _first(known: Known, bounds: Bounds) -> int:
    """Epochs of the first rung: those of `FIRST_RUNG_STEPS`, if that leaves a second one."""
    if METHODS[known.search.method].begins_with_one_epoch:
        return 1
    needed = math.ceil(round(FIRST_RUNG_STEPS / steps_per_epoch(known), 6))
    two_rungs = max(1, _most(known, bounds) // known.search.factor)
    return max(known.search.min_epochs, min(needed, two_rungs))


def _depths(known: Known, bounds: Bounds) -> Iterator[int]:
    """Epochs of the last rung, the fewest first.

    Where there is no time for `FIRST_RUNG_STEPS`, the search is shallower than that.
    """
    most = _most(known, bounds)
    if bounds.keeps_depth:
        yield most
        return
    factor, first = known.search.factor, min(_first(known, bounds), most)
    # A step of `factor` would leave half of a short budget unused.
    steps = range(1, 1 + math.ceil(2 * math.log(first, factor)))
    shallow = {round(first / factor ** (step / 2)) for step in steps} | {1}
    yield from sorted(shallow - {0, first})
    depth = first
    while depth <= most:
        yield depth
        depth *= factor


def _n_few(known: Known, bounds: Bounds, depth: int) -> int:
    """Iterations that have `FEWEST_SETTINGS`."""
    if bounds.keeps_number:
        return 1
    few = min(FEWEST_SETTINGS, known.n_settings or FEWEST_SETTINGS)
    numbers = range(1, MAX_ITERATIONS)
    return next(
        (n for n in numbers if _cost(known, bounds, depth, n).n_settings >= few), MAX_ITERATIONS
    )


def _n_iterations(known: Known, bounds: Bounds, depth: int, deeper: int | None) -> int:
    """The number of iterations from which on the next depth costs no more."""
    if bounds.keeps_number:
        return 0
    if deeper is None:
        return MAX_ITERATIONS + 1
    needed = _n_epochs(known, bounds, deeper, _n_few(known, bounds, deeper))
    return math.ceil(needed / _n_epochs(known, bounds, depth, 1))


def _n_instead(known: Known, bounds: Bounds, depth: int, n_longer: int) -> int:
    """Iterations that take no longer than so many more epochs of finalists and baseline would.

    Where the baseline takes many times as long as what is searched, longer retrainings would leave
    the search a setting or two.
    """
    if bounds.keeps_number or bounds.keeps_epochs:
        return 1
    usual_s = median(cost.image_s for cost in known.costs)
    judged_s = known.n_finalists * usual_s
    judged_s += sum(c.image_s for one, c in known.contenders if c and one.name == BASELINE)
    searched_s = usual_s * _n_epochs(known, bounds, depth, 1)
    return min(MAX_ITERATIONS, int(n_longer * judged_s / searched_s))


def _n_epochs(known: Known, bounds: Bounds, depth: int, iterations: int) -> int:
    return _cost(known, bounds, depth, iterations).n_epochs + len(known.starts) * depth


def _cost(known: Known, bounds: Bounds, depth: int, iterations: int) -> SearchCost:
    first = min(_first(known, bounds), depth)
    search = replace(known.search, min_epochs=first, max_epochs=depth, iterations=iterations)
    return method_class(search.method).cost(search, known.n_settings)
