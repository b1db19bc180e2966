"""What mattered in searches whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tuner.metrics.permutation_importance import MAX_TRIALS, bound_outliers, importance, n_needed
from tuner.records.importance import Importance
from tuner.records.trial import Trial
from tuner.space.definition import Condition, Parameter

RATE = Parameter(name="rate", kind="float", low=1e-4, high=1e-1, log=True)
DUMMY = Parameter(name="dummy", kind="float", low=0.0, high=1.0)
KIND = Parameter(name="kind", kind="choice", choices=("sgd", "adam", "lion"))
SPACE = (RATE, DUMMY, KIND)


def draw(generator: np.random.Generator) -> dict[str, Any]:
    return {
        "rate": float(10 ** generator.uniform(-4, -1)),
        "dummy": float(generator.random()),
        "kind": str(generator.choice(KIND.choices)),
    }


def by_rate(values: Mapping[str, Any]) -> float:
    return 0.2 * math.log10(values["rate"])


def search(
    n: int,
    truth: Callable[[Mapping[str, Any]], float] = by_rate,
    sample: Callable[[np.random.Generator], dict[str, Any]] = draw,
    noise: float = 0.02,
) -> list[Trial]:
    """Settings on two rungs: the better half is trained 3 times as long and gains 0.5."""
    generator = np.random.default_rng(0)
    found: list[Trial] = []

    def add(values: dict[str, Any], parent: Trial | None) -> None:
        score = truth(values) + noise * float(generator.normal()) + (0.5 if parent else 0.0)
        found.append(
            Trial(
                trial_id=f"{len(found):04d}",
                values=values,
                bracket=0,
                rung=1 if parent else 0,
                parent_id=parent.trial_id if parent else None,
                first_epoch=2 if parent else 1,
                last_epoch=3 if parent else 1,
                score=score,
            )
        )

    for _ in range(n * 2 // 3):
        add(sample(generator), None)
    for parent in sorted(found, key=lambda t: -(t.score or 0.0))[: n // 3]:
        add(dict(parent.values), parent)
    return found


def bounds(found: Importance) -> dict[str, tuple[float, float]]:
    return {one.name: (one.importance.low, one.importance.high) for one in found.parameters}


@pytest.fixture(scope="module")
def found() -> Importance:
    return importance(search(120), SPACE, "max", 1)


def test_the_parameter_that_matters_comes_first_and_a_dummy_cannot_be_told_from_zero(
    found: Importance,
) -> None:
    assert found.reason == ""
    assert found.parameters[0].name == "rate"
    low, high = bounds(found)["rate"]
    assert 0.3 < low < found.parameters[0].importance.value < high
    low, high = bounds(found)["dummy"]
    assert low <= 0.0 <= high < 0.1
    assert found.explained is not None
    assert 0.7 < found.explained < 1.0


def test_a_text_choice_that_matters_is_found() -> None:
    found = importance(
        search(120, lambda v: {"sgd": 0.1, "adam": 0.5, "lion": 0.1}[v["kind"]]), SPACE, "min", 1
    )
    assert found.parameters[0].name == "kind"
    assert bounds(found)["kind"][0] > 0.3


def test_longer_training_makes_nothing_look_important() -> None:
    found = importance(search(120, lambda _: 0.3), SPACE, "max", 1)
    assert found.parameters == ()
    assert found.explained is not None
    assert found.explained < 0.1
    assert found.reason.startswith(
        "the searched hyperparameters explain 0 % of the variance of scores"
    )


def test_a_setting_trained_twice_is_never_on_both_sides() -> None:
    # Only a forest that has seen a setting's other trial can know its score: the values say
    # nothing.
    generator = np.random.default_rng(1)
    luck = {round(float(u), 3): float(generator.random()) for u in np.linspace(0, 1, 1001)}
    trials = search(90, lambda v: luck[round(v["dummy"], 3)], noise=0.0)
    found = importance(trials, SPACE, "max", 1)
    assert found.explained is not None
    assert found.explained < 0.1


def test_a_parameter_that_was_off_matters_by_its_values_alone() -> None:
    switch = Parameter(name="switch", kind="boolean", choices=(False, True))
    conditions = (Condition(parent="switch", values=(True,)),)
    inner = Parameter(name="inner", kind="float", low=0.0, high=1.0, conditions=conditions)
    space = (DUMMY, switch, inner)

    def sample(generator: np.random.Generator) -> dict[str, Any]:
        values: dict[str, Any] = {
            "dummy": float(generator.random()),
            "switch": bool(generator.random() < 0.5),
        }
        return values | ({"inner": float(generator.random())} if values["switch"] else {})

    by_switch = importance(search(120, lambda v: 0.4 * v["switch"], sample), space, "max", 1)
    assert by_switch.parameters[0].name == "switch"
    assert bounds(by_switch)["switch"][0] > 0.3
    assert bounds(by_switch)["inner"][0] <= 0.0 <= bounds(by_switch)["inner"][1]
    by_inner = importance(search(120, lambda v: v.get("inner", 0.5), sample), space, "max", 1)
    assert bounds(by_inner)["inner"][0] > 0.3


def test_a_name_with_several_ranges_matters_once_and_by_its_place_within_them() -> None:
    adam, sgd = ((Condition(parent="kind", values=(name,)),) for name in ("adam", "sgd"))
    ranges = (
        Parameter(name="rate", kind="float", low=1e-4, high=1e-3, log=True, conditions=adam),
        Parameter(name="rate", kind="float", low=1e-2, high=1e-1, log=True, conditions=sgd),
    )

    def sample(generator: np.random.Generator) -> dict[str, Any]:
        kind = str(generator.choice(KIND.choices))
        ends = {"adam": (-4, -3), "sgd": (-2, -1)}.get(kind)
        rate = {"rate": float(10 ** generator.uniform(*ends))} if ends else {}
        return {"dummy": float(generator.random()), "kind": kind, **rate}

    space = (DUMMY, KIND, *ranges)
    # The rate gives the kind away: shuffled over both ranges it would matter as much as the kind.
    by_kind = importance(search(120, lambda v: 0.4 * (v["kind"] == "sgd"), sample), space, "max", 1)
    assert [one.name for one in by_kind.parameters].count("rate") == 1
    assert by_kind.parameters[0].name == "kind"
    assert bounds(by_kind)["rate"][1] < 0.1 < 0.3 < bounds(by_kind)["kind"][0]

    def within(values: Mapping[str, Any]) -> float:
        return 0.4 * (math.log10(values["rate"]) % 1) if "rate" in values else 0.2

    by_rate = importance(search(120, within, sample), space, "max", 1)
    # The kind, which is shuffled together with its rates, matters no less.
    assert bounds(by_rate)["rate"][0] > 0.3


def test_a_parameter_with_one_value_is_worth_exactly_nothing() -> None:
    once = (
        Parameter(name="fixed", kind="int", low=3, high=3),
        Parameter(name="only", kind="choice", choices=("a",)),
    )
    trials = [replace(t, values={**t.values, "fixed": 3, "only": "a"}) for t in search(120)]
    found = bounds(importance(trials, (*SPACE, *once), "max", 1))
    assert found["fixed"] == found["only"] == (0.0, 0.0)


def test_trials_without_a_finite_score_or_an_end_do_not_count(found: Importance) -> None:
    good = search(120)
    odd = [
        replace(good[0], score=math.nan),
        replace(good[1], score=math.inf),
        replace(good[2], score=None),
        replace(good[3], score=None, error="out of memory"),
        replace(good[4], is_stopped=True, score=-9.0),
    ]
    assert importance([*good, *odd], SPACE, "max", 1) == found
    assert found.n_trials == 120


def test_a_diverged_loss_is_not_all_of_the_variance() -> None:
    trials = search(120, lambda v: -by_rate(v))
    trials[7] = replace(trials[7], score=1e9)
    found = importance(trials, SPACE, "min", 1)
    assert found.parameters[0].name == "rate"
    assert found.explained is not None
    assert found.explained > 0.5


def test_values_that_are_no_numbers_do_not_stop_it() -> None:
    trials = search(120)
    trials[0] = replace(trials[0], values={"rate": math.nan, "dummy": math.inf, "kind": "other"})
    trials[1] = replace(trials[1], values={"rate": 0.0, "dummy": None, "kind": None})
    assert importance(trials, SPACE, "max", 1).parameters[0].name == "rate"


@pytest.mark.parametrize(("n_parameters", "needed"), [(1, 30), (6, 30), (7, 35), (20, 100)])
def test_too_few_trials_say_nothing_and_name_both_numbers(n_parameters: int, needed: int) -> None:
    some = tuple(replace(DUMMY, name=f"p{i}") for i in range(n_parameters))
    found = importance(search(27), some, "max", 1)
    assert (found.n_trials, found.n_needed, found.explained, found.parameters) == (
        27,
        needed,
        None,
        (),
    )
    assert found.reason.startswith(
        f"27 trials completed with a score, and at least {needed} are needed"
    )
    assert n_needed(n_parameters) == needed


def test_few_settings_trained_often_say_nothing() -> None:
    trials = [replace(t, values=search(27)[i % 4].values) for i, t in enumerate(search(60))]
    assert importance(trials, SPACE, "max", 1).reason.startswith(
        "only 4 different settings were tried"
    )


def test_equal_scores_and_an_empty_space_have_their_reasons() -> None:
    equal = [replace(t, score=0.1 * t.last_epoch) for t in search(60)]
    assert (
        importance(equal, SPACE, "max", 1).reason
        == "all trials that were trained as long have the same score."
    )
    assert importance(equal, (), "max", 1).reason == "no hyperparameter was searched."


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(found: Importance) -> None:
    assert importance(search(120), SPACE, "max", 1) == found
    assert importance(search(120), SPACE, "max", 2) != found


def test_a_large_search_is_sampled_and_all_its_trials_are_counted() -> None:
    found = importance(search(MAX_TRIALS + 200), SPACE, "max", 1)
    assert found.n_trials == MAX_TRIALS + 200
    assert found.parameters[0].name == "rate"


@pytest.mark.parametrize(
    ("direction", "bounded"), [("max", [-5.0, 1, 2, 3, 99]), ("min", [-99.0, 1, 2, 3, 9])]
)
def test_only_scores_on_the_worse_side_are_bounded(direction: str, bounded: list[float]) -> None:
    assert bound_outliers([-99.0, 1, 2, 3, 99], direction).tolist() == bounded
