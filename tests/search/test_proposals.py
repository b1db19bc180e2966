"""New settings: distinct, possible to build; drawn, enumerated, or proposed by a model."""

from __future__ import annotations

import json

import pytest

from tests.search.fakes import WIDE, drive, make_study, settings
from tuner.errors import ConfigurationError
from tuner.search.proposals import Proposals, draws, every_setting
from tuner.space.definition import Condition, Parameter, Space

NESTED = Space(
    parameters=(
        Parameter(name="optimizer", kind="choice", choices=("adam", "sgd")),
        Parameter(
            name="momentum", kind="float", low=0.1, high=0.3, step=0.1,
            conditions=(Condition(parent="optimizer", values=("sgd",)),),
        ),
        Parameter(name="units", kind="int", low=2, high=4, step=2),
    ),
    fixed={"batch_size": 32},
)  # fmt: skip


def test_every_setting_has_the_active_parameters_only() -> None:
    found = [tuple(values.values()) for values in every_setting(NESTED)]
    assert found == [
        (32, "adam", 2), (32, "adam", 4), (32, "sgd", 0.1, 2), (32, "sgd", 0.1, 4),
        (32, "sgd", 0.2, 2), (32, "sgd", 0.2, 4), (32, "sgd", 0.3, 2), (32, "sgd", 0.3, 4),
    ]  # fmt: skip


@pytest.mark.parametrize("n_workers", [1, 3])
def test_grid_trains_every_setting_once(n_workers: int) -> None:
    trials = drive(
        make_study(NESTED, search=settings(9, 3, method="grid")),
        lambda t: t.values["units"],
        n_workers=n_workers,
    )
    assert [t.values for t in trials] == list(every_setting(NESTED))
    assert {t.last_epoch for t in trials} == {9}


def test_grid_leaves_out_what_cannot_be_built_and_counts_it() -> None:
    study = make_study(
        NESTED,
        search=settings(9, 3, method="grid"),
        problem=lambda v: "too wide" if v["units"] == 4 else None,
    )
    assert len(drive(study, lambda t: 1.0)) == 4
    assert study.rejected == ("too wide",) * 4


def test_grid_of_any_number_says_which_parameter() -> None:
    with pytest.raises(
        ConfigurationError, match=r"a grid cannot go through space\.x, which may be any number"
    ):
        make_study(WIDE, search=settings(9, 3, method="grid")).next_trial()


def test_a_setting_that_is_hardly_ever_drawn_is_found_in_a_small_space() -> None:
    on = tuple(
        Parameter(
            name=f"p{i}", kind="choice", choices=(0, 1, 2, 3),
            conditions=() if i == 0 else (Condition(parent=f"p{i - 1}", values=(3,)),),
        )
        for i in range(10)
    )  # fmt: skip
    # The last of its 31 settings comes up once in a million draws.
    space = Space(parameters=on, fixed={})
    proposals = Proposals(space, 0, lambda values: None)
    found = []
    while (values := proposals.first_of(draws(space, proposals.generator))) is not None:
        found.append(values)
    assert len(found) == len({json.dumps(values) for values in found}) == 31


def test_news_are_told_once_and_are_json() -> None:
    proposals = Proposals(NESTED, 0, lambda values: "too wide" if values["units"] == 4 else None)
    while proposals.first_of(draws(NESTED, proposals.generator)) is not None:
        pass
    assert list(proposals.news()["rejected"].values()) == ["too wide"] * 4
    again = json.loads(json.dumps(proposals.news()))
    assert again["rejected"] == {}
    assert again["generator"] == proposals.generator.bit_generator.state


HILL = Space(
    parameters=(
        Parameter(name="x", kind="float", low=0.0, high=1.0),
        Parameter(name="rate", kind="float", low=1e-4, high=1e-1, log=True),
        Parameter(name="dropout", kind="float", low=0.0, high=0.5, step=0.1),
    ),
    fixed={"batch_size": 32},
)


@pytest.mark.slow
def test_bayesian_improves_on_its_random_start_with_values_of_the_space() -> None:
    study = make_study(
        HILL,
        search=settings(9, 3, method="bayesian", max_trials=12),
        problem=lambda values: "x is too small" if values["x"] < 0.2 else None,
    )
    trials = drive(
        study,
        lambda t: -((t.values["x"] - 0.7) ** 2) - (t.values["dropout"] - 0.2) ** 2,
        n_workers=2,
    )
    scores = [t.score for t in trials if t.score is not None]
    assert max(scores[5:]) > max(scores[:5])
    assert len({json.dumps(t.values) for t in trials}) == 12
    for values in (t.values for t in trials):
        assert list(values) == ["batch_size", "x", "rate", "dropout"]
        assert 0.2 <= values["x"] <= 1.0 and 1e-4 <= values["rate"] <= 1e-1
        assert values["dropout"] in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
        assert {type(value) for value in values.values()} == {int, float}


@pytest.mark.slow
def test_bayesian_tries_all_of_a_small_space_without_repeats() -> None:
    trials = drive(
        make_study(NESTED, search=settings(9, 3, method="bayesian")), lambda t: t.values["units"]
    )
    assert sorted(map(repr, (t.values for t in trials))) == sorted(map(repr, every_setting(NESTED)))
