"""Sizes of searches that fit a time budget, with made-up costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from tests.planning.costs import contender, cost
from tests.planning.test_forecast import known as usual_known
from tests.search.fakes import settings
from tuner.planning.forecast import Known
from tuner.planning.sizing import (
    FEWEST_SETTINGS,
    FIRST_RUNG_STEPS,
    Bounds,
    Fitted,
    Size,
    fitted,
    ladder,
    resized,
)
from tuner.retrain.contenders import BASELINE
from tuner.space.retrain_settings import RetrainSettings

BUDGETS_S = (30, 300, 3600)

RETRAIN = RetrainSettings(epochs=60, seeds=3, patience=10, finalists=1)


def known(n_train: int = 4 * FIRST_RUNG_STEPS, **changes: Any) -> Known:
    """Steps of four images, so that an epoch of all has `FIRST_RUNG_STEPS`; half a second each."""
    usual: dict[str, Any] = {
        "search": settings(27, 3),
        "contenders": [
            (contender(max_epochs=60), None),
            (contender(BASELINE, max_epochs=60), cost("baseline", image_s=0.001)),
        ],
        "costs": [cost(image_s=0.001)],
        "starts": [cost("baseline", image_s=0.001)],
        "retrain": RETRAIN,
        "n_train": n_train,
        "ready_s": 0.0,
        "features_s": (0.0, 0.0, 0.0),
    }
    return usual_known(**usual | changes)


BOUNDS = Bounds(retrain=RETRAIN)


def sized(left_s: float, whole: Known | None = None, bounds: Bounds = BOUNDS) -> Fitted:
    whole = whole or known()
    return fitted([whole], bounds, left_s, seed=0)


@cache
def usual(left_s: float) -> Fitted:
    """What several tests look at."""
    return sized(left_s)


def amounts(size: Size) -> tuple[int, ...]:
    """What never shrinks."""
    return size.max_epochs, size.retrain_epochs, size.n_seeds, size.n_verdict_seeds


@pytest.mark.parametrize("left_s", BUDGETS_S)
def test_what_fits_is_expected_to_end_in_time_on_a_slow_day_too(left_s: float) -> None:
    found = usual(left_s)
    assert (found.fits, found.is_cut) == (True, False)
    assert found.forecast.total_s.high <= left_s


def test_next_larger_size_would_not_have_fitted() -> None:
    found = sized(4000)
    sizes = list(ladder(known(), BOUNDS))
    above = sizes[len(sizes) - sizes[::-1].index(found.size)]
    only = Bounds(
        retrain=replace(RETRAIN, epochs=above.retrain_epochs, seeds=above.n_seeds),
        keeps_depth=True,
        keeps_number=True,
        keeps_epochs=True,
        keeps_seeds=True,
    )
    assert above.n_seeds == above.n_verdict_seeds, "so that it can be stated"
    stated = known(search=above.of_search(settings(27, 3)))
    assert not sized(4000, stated, only).fits


def test_more_time_never_buys_less() -> None:
    found = [usual(left_s) for left_s in BUDGETS_S]
    for less, more in pairwise(found):
        assert all(a <= b for a, b in zip(amounts(less.size), amounts(more.size), strict=True))
        assert less.forecast.n_epochs <= more.forecast.n_epochs
    assert amounts(found[0].size) < amounts(found[-1].size)
    assert found[-1].size.iterations > 1


@pytest.mark.parametrize("method", ["hyperband", "asha", "random", "keras_tuner_hyperband"])
def test_ladder_goes_up_whatever_the_method(method: str) -> None:
    sizes = list(ladder(known(search=settings(27, 3, method=method)), BOUNDS))
    assert [amounts(size) for size in sizes] == sorted(amounts(size) for size in sizes)
    assert {size.max_epochs for size in sizes} == {1, 3, 9, 27}
    assert amounts(sizes[-1]) == (27, 60, 3, 3)


def test_tested_verdict_comes_before_a_deep_search() -> None:
    sizes = list(ladder(known(), BOUNDS))
    seeds = {size.max_epochs: size.n_verdict_seeds for size in reversed(sizes)}
    assert seeds == {1: 1, 3: 2, 9: 3, 27: 3}


@pytest.mark.parametrize(
    ("n_train", "first", "last"), [(1000, 1, 27), (999, 2, 54), (200, 5, 45), (84, 12, 36)]
)
def test_first_rung_has_enough_steps_and_the_last_no_more_epochs_than_a_retraining(
    n_train: int, first: int, last: int
) -> None:
    sizes = list(ladder(known(n_train), BOUNDS))
    assert {size.min_epochs for size in sizes if size.max_epochs >= first} == {first}
    assert (sizes[0].max_epochs, sizes[-1].max_epochs) == (1, last)


def test_tiny_data_get_two_rungs_up_to_the_epochs_of_a_retraining() -> None:
    sizes = list(ladder(known(4), BOUNDS))
    assert list(dict.fromkeys((size.min_epochs, size.max_epochs) for size in sizes)) == [
        (1, 1),
        (2, 2),
        (4, 4),
        (7, 7),
        (12, 12),
        (20, 20),
        (20, 60),
    ]


def test_shallow_search_has_settings_then_longer_retrainings_then_a_third_seed() -> None:
    """Four epochs, where the first rung should have seven."""
    whole = known(math.ceil(4 * FIRST_RUNG_STEPS / 7))
    found = [size for size in ladder(whole, BOUNDS) if size.max_epochs == 4]
    firsts = [
        next(i for i, size in enumerate(found) if is_so(size))
        for is_so in (
            lambda size: size.iterations == FEWEST_SETTINGS,
            lambda size: size.retrain_epochs == 12,
            lambda size: size.n_verdict_seeds == 3,
        )
    ]
    assert firsts == sorted(set(firsts))
    assert firsts[0] == 0


def test_what_you_state_is_kept() -> None:
    search = settings(5, 3, 2, max_trials=7)
    stated = Bounds(
        retrain=replace(RETRAIN, epochs=11, seeds=4),
        keeps_depth=True,
        keeps_number=True,
        keeps_epochs=True,
        keeps_seeds=True,
    )
    (size,) = set(ladder(known(search=search), stated))
    assert amounts(size) == (5, 11, 4, 4)
    assert size.of_search(search) == search


def test_search_is_no_deeper_than_the_epochs_of_all_trials_together() -> None:
    search = settings(9, 3, max_total_epochs=10)
    sizes = ladder(known(search=search), replace(BOUNDS, keeps_number=True))
    assert {size.max_epochs for size in sizes} == {1, 3, 9}


@pytest.mark.parametrize("method", ["asha", "hyperband"])
def test_more_trials_than_there_is_time_for_are_cut_where_one_iteration_fits(method: str) -> None:
    endless = known(search=settings(27, 3, 1000, method=method, max_trials=1_000_000))
    found = sized(300, endless, replace(BOUNDS, keeps_number=True))
    assert (found.fits, found.is_cut) == (True, True)
    assert found.size.max_epochs == 9
    assert found.forecast.total_s.high <= 300
    assert found.known.search.max_trials == 1_000_000


def test_search_alone_takes_the_whole_time() -> None:
    alone = known(contenders=[])
    found, other = sized(300, alone), usual(300)
    assert found.forecast.retraining_s.high == 0
    assert found.forecast.n_epochs > other.forecast.n_epochs


def test_winner_without_a_baseline_is_trained_as_often() -> None:
    sizes = ladder(known(contenders=[(contender(max_epochs=60), None)]), BOUNDS)
    assert all(size.n_seeds == size.n_verdict_seeds for size in sizes)


def with_backbone(image_s: float) -> tuple[Known, Known]:
    lean = known()
    backbone = contender("efficientnet_b2", max_epochs=60), cost("backbone", image_s=image_s)
    return replace(lean, contenders=[*lean.contenders, backbone]), lean


@pytest.mark.parametrize(("image_s", "is_whole"), [(1e-4, True), (1.0, False)])
def test_backbone_that_would_cost_the_search_its_depth_is_left_out(
    image_s: float, is_whole: bool
) -> None:
    whole, lean = with_backbone(image_s)
    found, without = (fitted(some, BOUNDS, 900, seed=0) for some in ([whole, lean], [lean]))
    assert (names(found.known.contenders) == names(whole.contenders)) is is_whole
    assert found.size.max_epochs == without.size.max_epochs
    assert found.size.n_verdict_seeds == without.size.n_verdict_seeds
    assert found.fits


@pytest.mark.parametrize(("left_s", "tries"), [(1100, False), (20_000, True)])
def test_the_baselines_trial_goes_where_it_would_cost_the_verdict_a_seed(
    left_s: float, *, tries: bool
) -> None:
    """Seconds of an epoch as of FER2013 on two cores."""
    n_train, slow = 25_000, cost("baseline", image_s=122 / 25_000)
    costs = [cost(str(s), image_s=s / n_train) for s in (15, 17, 19, 25, 30, 40, 60, 80)]
    whole = known(
        n_train,
        n_workers=2,
        costs=costs,
        starts=[slow, costs[1]],
        contenders=[known().contenders[0], (contender(BASELINE, max_epochs=60), slow)],
        n_finalists=2,
    )
    found = fitted([whole, replace(whole, starts=costs[1:2])], BOUNDS, left_s, seed=0)
    assert (len(found.known.starts) == 2) is tries
    assert found.size.n_verdict_seeds >= 2


def test_budget_that_is_too_short_gives_the_smallest_size_and_says_so() -> None:
    found = sized(0.5)
    assert not found.fits
    assert found.size == next(ladder(known(), BOUNDS))
    assert found.forecast.total_s.high > 0.5


def names(contenders: Sequence[Any]) -> list[str]:
    return [one.name for one, _ in contenders]


def test_size_changes_what_the_forecast_is_made_of() -> None:
    own_schedule = contender("baseline_published", max_epochs=200), cost("p", image_s=0.001)
    whole = known(contenders=[*known().contenders, own_schedule])
    found = sized(10_000, whole).known
    assert names(found.contenders) == names(whole.contenders)
    assert [one.max_epochs for one, _ in found.contenders] == [60, 60, 200]


def test_head_on_kept_features_keeps_its_epochs_in_a_short_run() -> None:
    head = replace(contender("efficientnet_lite2", max_epochs=60), model="efficientnet_lite2")
    whole = known(
        contenders=[(contender(max_epochs=60), None), (head, cost("head", image_s=0.0001))],
        retrain=replace(RETRAIN, head_epochs=40),
    )
    smallest = next(ladder(whole, BOUNDS))
    assert smallest.retrain_epochs < 40
    epochs = [one.max_epochs for one, _ in resized(whole, smallest).contenders]
    assert epochs == [smallest.retrain_epochs, 40]
