"""What mattered in searches whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tuner.metrics import importance as module
from tuner.metrics.importance import (
    MAX_SETTINGS,
    adjusted_chances,
    importance,
    rank_settings,
)
from tuner.records.importance import Importance, ParameterImportance
from tuner.records.trial import Trial
from tuner.space.definition import Condition, Parameter

RATE = Parameter(name="rate", kind="float", low=1e-4, high=1e-1, log=True)
DUMMY = Parameter(name="dummy", kind="float", low=0.0, high=1.0)
KIND = Parameter(name="kind", kind="choice", choices=("sgd", "adam", "lion"))
SPACE = (RATE, DUMMY, KIND)

Truth = Callable[[Mapping[str, Any]], float]


def draw(generator: np.random.Generator) -> dict[str, Any]:
    return {
        "rate": float(10 ** generator.uniform(-4, -1)),
        "dummy": float(generator.random()),
        "kind": str(generator.choice(KIND.choices)),
    }


def by_rate(values: Mapping[str, Any]) -> float:
    return 0.2 * math.log10(values["rate"])


def trial(
    number: int,
    values: Mapping[str, Any],
    score: float | None,
    depth: int = 1,
    bracket: int = 0,
) -> Trial:
    return Trial(
        trial_id=f"{number:04d}",
        values=values,
        bracket=bracket,
        rung=0,
        parent_id=None,
        first_epoch=1,
        last_epoch=depth,
        score=score,
    )


def search(
    n: int,
    truth: Truth = by_rate,
    sample: Callable[[np.random.Generator], dict[str, Any]] = draw,
    noise: float = 0.02,
    seed: int = 0,
    direction: str = "max",
) -> list[Trial]:
    """A bracket of n settings, a third of which is trained 3 times as long and gains 0.5.

    Beside it, n / 3 settings of a bracket that begins with the long trainings.
    """
    generator = np.random.default_rng(seed)
    sign = 1 if direction == "max" else -1

    def score(values: Mapping[str, Any], depth: int) -> float:
        better = truth(values) + noise * float(generator.normal()) + (0.5 if depth > 1 else 0.0)
        return sign * better

    settings = [sample(generator) for _ in range(n)]
    short = [trial(i, values, score(values, 1)) for i, values in enumerate(settings)]
    promoted = sorted(short, key=lambda t: -sign * (t.score or 0.0))[: n // 3]
    long = [replace(t, last_epoch=3, score=score(t.values, 3)) for t in promoted]
    others = [sample(generator) for _ in range(n // 3)]
    more = [trial(n + i, values, score(values, 3), 3, 1) for i, values in enumerate(others)]
    return [*short, *long, *more]


def row(found: Importance, name: str) -> ParameterImportance:
    (one,) = [row for row in found.parameters if row.name == name]
    return one


@pytest.fixture(scope="module")
def found() -> Importance:
    return importance(search(40), SPACE, "max", 1)


def test_what_matters_comes_first_and_a_dummy_cannot_be_told_from_chance(
    found: Importance,
) -> None:
    assert found.reason == ""
    assert (found.n_trials, found.n_settings) == (66, 53)
    first = found.parameters[0]
    assert first.name == "rate"
    assert first.is_told
    assert first.places == (1, 1)
    assert first.n_settings == 53
    assert 0.7 < first.importance.low < first.importance.value < first.importance.high <= 1
    dummy = row(found, "dummy")
    assert not dummy.is_told
    assert dummy.importance.low < 0.1
    assert dummy.places == (2, 3)


@pytest.mark.parametrize("direction", ["max", "min"])
def test_the_direction_of_the_objective_does_not_change_what_mattered(direction: str) -> None:
    found = importance(search(40, direction=direction), SPACE, direction, 1)
    assert found.parameters[0].name == "rate"
    assert found.parameters[0].importance.low > 0.7


def test_a_best_value_within_the_range_is_found() -> None:
    found = importance(search(40, lambda v: -((v["dummy"] - 0.5) ** 2)), SPACE, "max", 1)
    assert found.parameters[0].name == "dummy"
    assert found.parameters[0].importance.value > 0.5


def test_a_text_choice_that_matters_is_found() -> None:
    found = importance(
        search(40, lambda v: {"sgd": 0.1, "adam": 0.5, "lion": 0.1}[v["kind"]]), SPACE, "max", 1
    )
    assert found.parameters[0].name == "kind"
    assert found.parameters[0].importance.low > 0.4


def test_where_nothing_matters_at_most_a_twentieth_of_the_searches_shows_anything() -> None:
    # Of 200 searches 5 % are 10; more than 19 have a probability of 0.2 %.
    n_wrong = sum(
        bool(importance(search(20, lambda _: 0.3, seed=seed), SPACE, "max", seed).parameters)
        for seed in range(200)
    )
    assert 1 <= n_wrong <= 19


def test_settings_drawn_around_the_best_so_far_show_no_more_than_chance() -> None:
    # As model-based methods do it: later settings follow from earlier scores.
    dummies = tuple(replace(DUMMY, name=f"dummy {i}") for i in range(10))
    n_wrong = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        places = [generator.random(10)]
        scores = [float(generator.normal())]
        for _ in range(39):
            near = places[int(np.argmax(scores))] + 0.1 * generator.normal(size=10)
            is_near = generator.random() < 0.8
            places.append(near.clip(0, 1) if is_near else generator.random(10))
            scores.append(float(generator.normal()))
        trials = [
            trial(i, {f"dummy {j}": float(v) for j, v in enumerate(place)}, score)
            for i, (place, score) in enumerate(zip(places, scores, strict=True))
        ]
        n_wrong += bool(importance(trials, dummies, "max", seed).parameters)
    # Of 60 searches 5 % are 3; more than 8 have a probability of 0.3 %.
    assert n_wrong <= 8


def test_one_strong_effect_among_twenty_is_found_in_most_searches_of_49_settings() -> None:
    dummies = tuple(replace(DUMMY, name=f"dummy {i}") for i in range(19))

    def sample(generator: np.random.Generator) -> dict[str, Any]:
        return draw(generator) | {dummy.name: float(generator.random()) for dummy in dummies}

    # The effect has 60 % of the variance of scores: its own is 0.03, and that of the noise 0.02.
    n_found = 0
    for seed in range(20):
        trials = search(37, by_rate, sample, noise=0.02**0.5, seed=seed)
        found = importance(trials, (RATE, *dummies), "max", seed)
        assert found.n_settings == 49
        n_found += any(one.is_told for one in found.parameters if one.name == "rate")
    assert n_found >= 14


def test_longer_training_makes_nothing_look_important() -> None:
    # Promotions gain 25 times the noise.
    found = importance(search(40, lambda _: 0.3), SPACE, "max", 1)
    assert found.parameters == ()
    assert "may be chance" in found.reason


def test_the_parameters_of_blocks_count_as_one() -> None:
    blocks = tuple(
        Parameter(name=f"filters_{i}", kind="ordinal", choices=(16, 32, 64)) for i in range(3)
    )

    def sample(generator: np.random.Generator) -> dict[str, Any]:
        return draw(generator) | {b.name: int(generator.choice(b.choices)) for b in blocks}

    found = importance(
        search(60, lambda v: sum(math.log2(v[b.name]) for b in blocks), sample),
        (*SPACE, *blocks),
        "max",
        1,
    )
    assert found.parameters[0].name == "filters (per block)"
    assert {one.name for one in found.parameters} == {
        "filters (per block)",
        "rate",
        "dummy",
        "kind",
    }
    first = found.parameters[0]
    assert first.members == first.parameters == ("filters_0", "filters_1", "filters_2")
    assert first.importance.value > 0.7


def test_ranges_of_one_name_under_different_conditions_count_as_one() -> None:
    ranges = [
        replace(RATE, conditions=(Condition(parent="kind", values=("sgd",)),), low=1e-2, high=1.0),
        replace(RATE, conditions=(Condition(parent="kind", values=("adam", "lion")),)),
    ]

    def sample(generator: np.random.Generator) -> dict[str, Any]:
        values = draw(generator)
        return values | ({"rate": 10 * values["rate"]} if values["kind"] == "sgd" else {})

    def truth(values: Mapping[str, Any]) -> float:
        return math.log10(values["rate"]) - (values["kind"] == "sgd")

    trials = [
        t
        for t in search(60, truth, sample)
        if t.values["rate"] >= 1e-2 or t.values["kind"] != "sgd"
    ]
    found = importance(trials, (KIND, *ranges), "max", 1)
    assert {one.name for one in found.parameters} == {"kind", "rate"}
    assert found.parameters[0].name == "rate"
    assert found.parameters[0].parameters == ("rate",)
    assert found.parameters[0].n_settings == found.n_settings


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

    by_switch = importance(search(60, lambda v: 0.4 * v["switch"], sample), space, "max", 1)
    assert by_switch.parameters[0].name == "switch"
    inside = row(by_switch, "inner")
    assert not inside.is_told
    assert (inside.n_settings or 0) < (by_switch.n_settings or 0)
    by_inner = importance(search(60, lambda v: v.get("inner", 0.5), sample), space, "max", 1)
    assert row(by_inner, "inner").is_told
    assert row(by_inner, "inner").importance.high < 0.8


def test_a_parameter_with_one_value_is_worth_exactly_nothing() -> None:
    once = (
        Parameter(name="fixed", kind="int", low=3, high=3),
        Parameter(name="only", kind="choice", choices=("a",)),
    )
    trials = [replace(t, values={**t.values, "fixed": 3, "only": "a"}) for t in search(40)]
    found = importance(trials, (*SPACE, *once), "max", 1)
    for name in ("fixed", "only"):
        one = row(found, name)
        assert (one.importance.value, one.importance.low, one.importance.high) == (0, 0, 0)
        assert one.chance == 1.0


def test_trials_without_a_finite_score_or_an_end_do_not_count(found: Importance) -> None:
    good = search(40)
    odd = [
        replace(good[0], last_epoch=9, score=math.nan),
        replace(good[1], last_epoch=9, score=math.inf),
        replace(good[2], last_epoch=9, score=None),
        replace(good[3], last_epoch=9, score=None, error="out of memory"),
        replace(good[4], last_epoch=9, is_stopped=True, score=-9.0),
    ]
    assert importance([*good, *odd], SPACE, "max", 1) == found


def test_settings_from_outside_of_the_space_do_not_count(found: Importance) -> None:
    outside = [
        {"rate": 1.0, "dummy": 0.5, "kind": "sgd"},
        {"rate": 1e-3, "dummy": 0.5, "kind": "other"},
        {"rate": 1e-3, "dummy": 0.5},
        {"rate": math.nan, "dummy": math.inf, "kind": None},
    ]
    more = [trial(900 + i, values, 99.0, 9) for i, values in enumerate(outside)]
    with_them = importance([*search(40), *more], SPACE, "max", 1)
    assert with_them == replace(found, n_trials=found.n_trials + 4)


def test_a_diverged_loss_is_one_bad_rank() -> None:
    trials = search(40, direction="min")
    trials[7] = replace(trials[7], score=1e9)
    assert importance(trials, SPACE, "min", 1).parameters[0].importance.low > 0.5


@pytest.mark.parametrize(
    ("n", "n_settings", "how_much"),
    [
        (5, 6, "This many settings cannot show more than chance, whatever their scores."),
        (20, 26, "A hyperparameter would have to explain about 3"),
    ],
)
def test_what_may_be_chance_is_not_shown_and_the_reason_says_how_much_would_be(
    n: int, n_settings: int, how_much: str
) -> None:
    dummies = tuple(replace(DUMMY, name=f"dummy {i}") for i in range(20))

    def sample(generator: np.random.Generator) -> dict[str, Any]:
        return {dummy.name: float(generator.random()) for dummy in dummies}

    found = importance(search(n, lambda _: 0.3, sample), dummies, "max", 1)
    assert (found.parameters, found.n_settings) == ((), n_settings)
    assert found.reason.startswith(f"among {n_settings} settings, any pattern may be chance")
    assert how_much in found.reason


@pytest.mark.parametrize(
    ("trials", "space", "reason"),
    [
        (search(20), (), "no hyperparameter was searched."),
        ([], SPACE, "no setting of the space has a score."),
        (search(1), SPACE, "only one setting of the space has a score."),
        (
            [replace(t, score=0.5, last_epoch=1) for t in search(6)],
            SPACE,
            "the 8 settings cannot be ranked, because those of a bracket have the same score.",
        ),
    ],
)
def test_what_cannot_be_compared_has_its_reason(
    trials: list[Trial], space: tuple[Parameter, ...], reason: str
) -> None:
    found = importance(trials, space, "max", 1)
    assert (found.parameters, found.reason) == ((), reason)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(found: Importance) -> None:
    assert importance(search(40), SPACE, "max", 1) == found
    assert importance(search(40), SPACE, "max", 2) != found


def test_the_order_of_the_trials_does_not_decide_what_is_told(found: Importance) -> None:
    turned = importance(search(40)[::-1], SPACE, "max", 1)
    assert [one.is_told for one in turned.parameters] == [one.is_told for one in found.parameters]
    values = [[one.importance.value for one in each.parameters] for each in (turned, found)]
    assert sorted(values[0]) == pytest.approx(sorted(values[1]))


def test_a_large_search_is_sampled_and_all_its_trials_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_SETTINGS", 30)
    found = importance(search(40), SPACE, "max", 1)
    assert (found.n_trials, found.n_settings) == (66, 30)
    assert found.parameters[0].name == "rate"
    assert MAX_SETTINGS > 30


def test_promotions_rank_above_those_that_stayed_behind_and_brackets_apart() -> None:
    settings = [{"dummy": 0.1 * i} for i in range(5)]
    trials = [
        trial(0, settings[0], 0.9),
        trial(1, settings[1], 0.7),
        trial(2, settings[2], 0.8),
        trial(3, settings[1], 0.1, depth=3),
        trial(4, settings[3], 0.2, depth=3, bracket=1),
        trial(5, settings[4], 0.3, depth=3, bracket=1),
    ]
    ranked = rank_settings(trials, "max", np.random.default_rng(0))
    ranks = {t.values["dummy"]: rank for t, rank in zip(ranked.trials, ranked.ranks, strict=True)}
    assert ranks[settings[1]["dummy"]] > ranks[settings[0]["dummy"]] > ranks[settings[2]["dummy"]]
    assert ranks[settings[4]["dummy"]] == -ranks[settings[3]["dummy"]] > 0
    assert sum(ranks.values()) == pytest.approx(0)


def test_chances_are_adjusted_for_the_number_of_groups() -> None:
    generator = np.random.default_rng(0)
    shuffled = generator.random((20, 2000))
    shares = np.full(20, 0.99)
    # One of twenty passes the highest hundredth in about 1 - 0.99 ** 20 of the shuffles.
    assert adjusted_chances(shares, shuffled).mean() == pytest.approx(0.18, abs=0.03)
    alone = adjusted_chances(shares[:1], shuffled[:1])
    assert alone == pytest.approx([0.01], abs=0.01)
