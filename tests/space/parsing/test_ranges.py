"""A name may have several ranges, of which one holds at a time: what they mean, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuner.errors import ConfigurationError
from tuner.space.definition import Condition, Parameter, Space
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import load_space, parse_space
from tuner.space.sampling import (
    complete_setting,
    has_setting,
    is_complete,
    n_settings,
    sample,
)

RATES = """version: 1
space:
  optimizer: [adam, adamw, sgd]
  learning_rate:
    - {type: float, min: 3e-4, max: 3e-3, sampling: log, when: {optimizer: adamw}}
    - {type: choice, values: [0.01, 0.1], when: {optimizer: sgd}}
"""
ADAMW = Parameter(
    name="learning_rate", kind="float", low=3e-4, high=3e-3, log=True, place=0,
    conditions=(Condition(parent="optimizer", values=("adamw",)),),
)  # fmt: skip
SGD = Parameter(
    name="learning_rate", kind="ordinal", choices=(0.01, 0.1), place=1,
    conditions=(Condition(parent="optimizer", values=("sgd",)),),
)  # fmt: skip


def space_of(text: str) -> Space:
    return parse_space(parse_document(text, "my.yaml")).space


def mistakes(first: str, second: str, head: str = "optimizer: [adamw, sgd]") -> str:
    text = f"version: 1\nspace:\n  {head}\n  learning_rate:\n  - {first}\n  - {second}\n"
    with pytest.raises(ConfigurationError) as caught:
        space_of(text)
    return str(caught.value)


def test_each_range_is_a_parameter_of_the_same_name_with_its_own_condition() -> None:
    space = space_of(RATES)
    assert space.parameters[1:] == (ADAMW, SGD)
    assert space.searched == ("optimizer", "learning_rate")


def test_the_range_that_holds_is_drawn_from_and_where_none_does_there_is_no_value() -> None:
    space, rng = space_of(RATES), np.random.default_rng(0)
    drawn = [sample(space, rng) for _ in range(300)]
    by_optimizer = {name: [v for v in drawn if v["optimizer"] == name] for name in ("adam", "sgd")}
    assert all("learning_rate" not in values for values in by_optimizer["adam"])
    assert {values["learning_rate"] for values in by_optimizer["sgd"]} == {0.01, 0.1}
    rates = [v["learning_rate"] for v in drawn if v["optimizer"] == "adamw"]
    assert 3e-4 <= min(rates) < 4e-4
    assert 2.5e-3 < max(rates) <= 3e-3
    assert all(is_complete(space, values) and has_setting(space, values) for values in drawn)


def test_a_value_of_the_other_range_is_none_of_the_space() -> None:
    space = space_of(RATES)
    assert not has_setting(space, {"optimizer": "adamw", "learning_rate": 0.1})
    assert not has_setting(space, {"optimizer": "sgd", "learning_rate": 1e-3})
    assert not is_complete(space, {"optimizer": "adam", "learning_rate": 1e-3})
    assert not is_complete(space, {"optimizer": "sgd"})
    assert complete_setting(space, {"optimizer": "sgd"}) == {
        "optimizer": "sgd",
        "learning_rate": 0.01,
    }


def test_settings_are_counted_over_the_range_that_holds() -> None:
    adamw = "{type: float, min: 3e-4, max: 3e-3, sampling: log"
    text = RATES.replace(adamw, "{type: choice, values: [1e-4, 3e-4, 1e-3]")
    assert n_settings(space_of(text)) == 1 + 3 + 2


def test_a_range_may_be_per_block_and_its_number_of_blocks_may_have_ranges_too() -> None:
    space = space_of(
        """version: 1
space:
  pooling: [flatten, global_average]
  conv_blocks:
    - {type: int, min: 1, max: 2, when: {pooling: flatten}}
    - {type: int, min: 2, max: 3, when: {pooling: global_average}}
  filters:
    - {type: choice, values: [8, 16], per: conv_blocks, when: {pooling: flatten}}
    - {type: choice, values: [32, 64], per: conv_blocks, when: {pooling: global_average}}
  filters_0: 4
"""
    )
    assert space.fixed == {"filters_0": 4}
    assert space.searched == ("pooling", "conv_blocks", "filters_1", "filters_2")
    rng = np.random.default_rng(0)
    for values in (sample(space, rng) for _ in range(100)):
        n_blocks, is_flat = values["conv_blocks"], values["pooling"] == "flatten"
        assert n_blocks in ((1, 2) if is_flat else (2, 3))
        for block in (1, 2):
            allowed = (8, 16) if is_flat else (32, 64)
            assert values.get(f"filters_{block}", None if block >= n_blocks else 0) in (
                allowed if block < n_blocks else (None,)
            )


def test_a_condition_may_wait_for_a_value_of_any_range() -> None:
    text = RATES + "  momentum: {type: float, min: 0.8, max: 0.9, when: {learning_rate: 0.1}}\n"
    space = space_of(text)
    assert space.parameters[-1].conditions == (Condition(parent="learning_rate", values=(0.1,)),)
    with pytest.raises(
        ConfigurationError, match=r"learning_rate is 0\.0003 to 0\.003, or 0\.01 or"
    ):
        space_of(text.replace("learning_rate: 0.1}", "learning_rate: 0.5}"))


MISTAKES = {
    (
        "{type: float, min: 3e-4, max: 3e-3, when: {optimizer: adamw}}",
        "{type: float, min: 3e-3, max: 0.1, when: {optimizer: [sgd, adamw]}}",
    ): (
        'my.yaml:6: space.learning_rate.1 (0.003 to 0.1 when optimizer is "sgd" or "adamw") may'
        " hold together with space.learning_rate.0 (0.0003 to 0.003 when optimizer is"
        ' "adamw", my.yaml:5).\n  Fix: name the same parameter in both, with different values, so'
        " that only one holds."
    ),
    (
        "{type: float, min: 3e-4, max: 3e-3, when: {optimizer: adamw}}",
        "{type: float, min: 3e-3, max: 0.1}",
    ): (
        "my.yaml:6: space.learning_rate.1 has no when, and is one of 2 ranges.\n"
        "  Fix: give each of them a when, so that at most one holds at a time."
    ),
    ("{type: float, min: 3e-4, max: 3e-3, when: {optimizer: adamw}}", "0.1"): (
        "my.yaml:6: space.learning_rate.1 is 0.1; expected keys with values, as beside it."
    ),
    (
        "{type: float, min: 3e-4, maxx: 3e-3, when: {optimizer: adamw}}",
        "{type: flaot, min: 3e-3, max: 0.1, when: {optimizer: sgd}}",
    ): (
        "my.yaml:5: space.learning_rate.0.max is missing.\n  Fix: add it.\n"
        "my.yaml:5: space.learning_rate.0.maxx is not a known key.\n"
        '  Fix: did you mean "max"?\n'
        'my.yaml:6: space.learning_rate.1.type is "flaot"; expected int, float, choice, boolean or'
        ' fixed.\n  Fix: did you mean "float"?'
    ),
    (
        "{type: float, min: 5e-2, max: 3e-3, when: {optimizer: adamw}}",
        "{type: float, min: 1, max: 20, when: {optimizer: sdg}}",
    ): (
        "my.yaml:5: space.learning_rate.0.min is 0.05, greater than max 0.003.\n"
        "  Fix: swap the two.\n"
        "my.yaml:6: space.learning_rate.1.max is 20.0; expected a number from 1e-08 to 10.\n"
        'my.yaml:6: space.learning_rate.1.when.optimizer is "sdg", but optimizer is "adamw" or'
        ' "sgd".\n  Fix: did you mean "sgd"?'
    ),
}


@pytest.mark.parametrize(("first", "second"), MISTAKES)
def test_mistake_in_several_ranges(first: str, second: str) -> None:
    assert mistakes(first, second) == MISTAKES[first, second]


def test_one_range_needs_no_list() -> None:
    with pytest.raises(ConfigurationError) as caught:
        space_of("version: 1\nspace:\n  dropout: [{type: float, min: 0, max: 0.5}]\n")
    assert str(caught.value) == (
        "my.yaml:3: space.dropout has one range only.\n  Fix: write it without the list."
    )


def test_ranges_of_a_name_are_all_per_block_or_none_of_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        space_of(
            """version: 1
space:
  pooling: [flatten, global_average]
  filters:
    - {type: choice, values: [8, 16], per: conv_blocks, when: {pooling: flatten}}
    - {type: choice, values: [32, 64], when: {pooling: global_average}}
"""
        )
    assert str(caught.value) == (
        "my.yaml:6: space.filters.1 has no per, but space.filters.0 has per: conv_blocks.\n"
        "  Fix: give all ranges of a name the same per, or none of them."
    )


def test_ranges_of_an_own_builder_mix_no_words_and_numbers() -> None:
    with pytest.raises(ConfigurationError) as caught:
        space_of(
            """version: 1
model: mine:build
space:
  kind: [a, b]
  size:
    - {type: choice, values: [small, large], when: {kind: a}}
    - {type: int, min: 1, max: 9, when: {kind: b}}
"""
        )
    assert str(caught.value) == (
        "my.yaml:7: space.size.1 and space.size.0 mix numbers and text; expected values of one"
        " kind.\n  Fix: give the two names of their own."
    )


def test_keras_tuners_grid_takes_one_range_per_name() -> None:
    with pytest.raises(ConfigurationError) as caught:
        space_of(RATES.replace("space:", "search: {method: keras_tuner_grid}\nspace:"))
    assert str(caught.value) == (
        "my.yaml:5: space.learning_rate has 2 ranges, and search.method is keras_tuner_grid.\n"
        "  Fix: choose another method, such as grid, or give the name one range."
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(RATES)
    return path


def test_an_override_names_the_range_by_its_number(path: Path) -> None:
    found = load_space(path, ["space.learning_rate.0.max=0.01"]).space.parameters
    assert [one.high for one in found] == [None, 0.01, None]
    with pytest.raises(ConfigurationError) as caught:
        load_space(path, ["space.learning_rate.max=0.01"])
    assert str(caught.value) == (
        "--set space.learning_rate.max=0.01: space.learning_rate has 2 ranges, each with its own"
        ' "max".\n  Fix: name one of them, such as space.learning_rate.0.max, or set'
        " space.learning_rate as a whole."
    )
    with pytest.raises(ConfigurationError, match=r"space\.learning_rate\.0\.maxx is not a known"):
        load_space(path, ["space.learning_rate.0.maxx=0.01"])


def test_an_override_that_puts_a_range_out_of_reach_leaves_the_other(path: Path) -> None:
    space = load_space(path, ["space.optimizer=sgd"]).space
    assert space.fixed == {"optimizer": "sgd"}
    (left,) = space.parameters
    assert left == Parameter(name="learning_rate", kind="ordinal", choices=(0.01, 0.1), place=1)
    assert load_space(path, ["space.optimizer=adam"]).space.parameters == ()
    whole = load_space(path, ["space.learning_rate=0.02"]).space
    assert whole.fixed == {"learning_rate": 0.02}
