"""What `--set` makes unreachable goes; what a file or a person asks for in vain is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.space.definition import Condition, Parameter
from tuner.space.parsing.parse import load_space

PER_BLOCK = ("filters", "kernel_size")
SPACES = Path(__file__).parents[3] / "search_spaces"
SPACE = """\
version: 1
space:
  optimizer: [adam, adamw, sgd]
  momentum: {type: choice, values: [0.8, 0.9], when: {optimizer: sgd}}
  weight_decay: {type: float, min: 0, max: 0.1, when: {optimizer: [adamw, sgd]}}
  conv_blocks: {type: int, min: 2, max: 4}
  filters: {type: choice, values: [8, 16], per: conv_blocks}
  filters_3: [32, 64]
  dense_units: {type: choice, values: [0, 64], when: {momentum: 0.9}}
  dropout: {type: float, min: 0, max: 0.5, when: {filters_3: 64}}
  label_smoothing: {type: float, min: 0, max: 0.2, when: {filters_2: 8}}
"""


def load(tmp_path: Path, *overrides: str, text: str = SPACE) -> dict[str, Parameter]:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    return {parameter.name: parameter for parameter in load_space(path, overrides).space.parameters}


def gone(tmp_path: Path, *overrides: str) -> set[str]:
    return load(tmp_path).keys() - load(tmp_path, *overrides).keys()


def test_a_parent_that_is_fixed_to_another_value_takes_its_children_along(tmp_path: Path) -> None:
    assert gone(tmp_path, "space.optimizer=adam") == {
        "optimizer",
        "momentum",
        "weight_decay",
        "dense_units",
    }


def test_a_parent_with_fewer_choices_keeps_the_children_that_can_still_be(tmp_path: Path) -> None:
    narrowed = load(tmp_path, "space.optimizer=[adam, adamw]")
    assert load(tmp_path).keys() - narrowed.keys() == {"momentum", "dense_units"}
    assert narrowed["weight_decay"].conditions == (
        Condition(parent="optimizer", values=("adamw",)),
    )


def test_fewer_blocks_take_along_what_belongs_to_the_others_or_waits_for_them(
    tmp_path: Path,
) -> None:
    assert gone(tmp_path, "space.conv_blocks.max=3") == {"filters_3", "dropout"}
    lost = {"conv_blocks", "filters_2", "filters_3", "dropout", "label_smoothing"}
    assert gone(tmp_path, "space.conv_blocks=2") == lost


def test_a_parent_per_block_may_be_overridden_too(tmp_path: Path) -> None:
    assert gone(tmp_path, "space.filters.values=[16, 32]") == {"label_smoothing"}
    assert gone(tmp_path, "space.filters_3=32") == {"filters_3", "dropout"}


def test_what_repeats_per_a_parent_that_is_gone_goes_too(tmp_path: Path) -> None:
    text = """\
version: 1
model: mine:build
space:
  kind: [mlp, conv]
  n_layers: {type: int, min: 1, max: 3, when: {kind: mlp}}
  units: {type: choice, values: [8, 16], per: n_layers}
"""
    assert set(load(tmp_path, text=text)) == {"kind", "n_layers", "units_0", "units_1", "units_2"}
    assert load(tmp_path, "space.kind=conv", text=text) == {}


BY_OPTIMIZER = ("learning_rate", "weight_decay")


@pytest.mark.parametrize(
    ("name", "override", "lost"),
    [
        ("default", "space.optimizer=adamw", {"optimizer", "momentum"}),
        ("default", "space.optimizer=sgd", {"optimizer"}),
        ("default", "space.optimizer=[adamw, adam]", {"momentum"}),
        # Its ranges of rate and decay are for adamw and sgd.
        ("default", "space.optimizer=rmsprop", {*BY_OPTIMIZER, "optimizer", "momentum"}),
        (
            "fer2013",
            "space.conv_blocks=2",
            {"conv_blocks", *(f"{name}_{i}" for name in PER_BLOCK for i in (2, 3))},
        ),
        (
            "fer2013",
            "space.conv_blocks=1",
            {"conv_blocks", *(f"{name}_{i}" for name in PER_BLOCK for i in (1, 2, 3))},
        ),
    ],
)
def test_overrides_of_a_committed_space(name: str, override: str, lost: set[str]) -> None:
    path = SPACES / f"{name}.yaml"
    before = {parameter.name for parameter in load_space(path).space.parameters}
    after = {parameter.name for parameter in load_space(path, [override]).space.parameters}
    assert before - after == lost


MISTAKES = {
    # What was overridden itself is wanted.
    ("space.optimizer=adam", "space.momentum.values=[0.5, 0.6]"): (
        'space.momentum.when.optimizer is "sgd", but optimizer is always "adam".'
    ),
    (
        "space.conv_blocks=3",
        "space.filters_3=[16, 32]",
    ): "space.filters_3 belongs to no block; conv_blocks is at most 3",
    # An override that asks for what there is not.
    (
        "space.momentum.when.optimizer=rmsprop",
    ): 'space.momentum.when.optimizer is "rmsprop", but optimizer is "adam"',
}


@pytest.mark.parametrize("overrides", MISTAKES, ids=" ".join)
def test_what_is_asked_for_in_vain_stays_a_mistake(
    tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, *overrides)
    assert MISTAKES[overrides] in caught.value.message


def test_a_mistake_of_the_file_stays_one_where_its_parent_is_overridden(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(
            tmp_path,
            "space.optimizer=adam",
            text=SPACE.replace("{optimizer: sgd}", "{optimizer: sdg}"),
        )
    assert (
        'my.yaml:4: space.momentum.when.optimizer is "sdg", but optimizer is always "adam".'
        in str(caught.value)
    )
