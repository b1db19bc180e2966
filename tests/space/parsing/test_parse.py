"""What a search space file means once it is parsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.space.definition import Condition, Objective, Parameter, SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import load_space, parse_space
from tuner.space.retrain_settings import RetrainSettings
from tuner.space.search_settings import SearchSettings


def parse(*lines: str, head: str = "dataset: digits") -> SearchSpaceFile:
    text = "\n".join(["version: 1", head, "space:", *(f"  {line}" for line in lines)])
    return parse_space(parse_document(text, "my.yaml"))


def by_name(file: SearchSpaceFile) -> dict[str, Parameter]:
    return {parameter.name: parameter for parameter in file.space.parameters}


def test_missing_keys_have_defaults() -> None:
    file = parse("dropout: 0.1")
    assert file.model == "cnn"
    assert file.objective == Objective(name="val_accuracy", direction="max")
    assert file.search == SearchSettings(method="hyperband", max_epochs=27, factor=3, iterations=1)
    assert file.retrain == RetrainSettings(epochs=60, seeds=3, patience=10)
    assert file.compare == ("baseline", "efficientnet_b2")
    assert file.split is None


def test_search_settings_are_those_of_the_file() -> None:
    file = parse(
        "dropout: {type: float, min: 0, max: 0.5, step: 0.1}",
        head="search: {method: grid, max_trials: 4}",
    )
    assert file.search == SearchSettings(
        method="grid", max_epochs=27, factor=3, iterations=1, max_trials=4
    )
    file = parse("dropout: 0.1", head="search: {method: asha, max_epochs: 81, patience: 5}")
    assert file.search == SearchSettings(
        method="asha", max_epochs=81, factor=3, iterations=1, patience=5
    )


@pytest.mark.parametrize(
    ("objective", "direction"),
    [
        ("val_loss", "min"),
        ("val_accuracy", "max"),
        ("{name: val_error, direction: min}\nmodel: mine:build", "min"),
    ],
)
def test_the_direction_follows_from_the_name_unless_given(objective: str, direction: str) -> None:
    assert parse("dropout: 0.1", head=f"objective: {objective}").objective.direction == direction


def test_a_plain_value_is_fixed_and_a_list_is_a_choice() -> None:
    file = parse(
        "optimizer: [adam, sgd]", "batch_size: 32", "dense_units: {type: fixed, value: 64}"
    )
    assert file.space.fixed == {"batch_size": 32, "dense_units": 64}
    assert file.space.parameters == (
        Parameter(name="optimizer", kind="choice", choices=("adam", "sgd")),
    )


def test_a_list_of_numbers_has_an_order_and_one_of_words_has_none() -> None:
    found = by_name(parse("optimizer: [adam, sgd]", "dense_units: [64, 32, 96]"))
    assert {name: parameter.kind for name, parameter in found.items()} == {
        "optimizer": "choice",
        "dense_units": "ordinal",
    }
    assert found["dense_units"].choices == (64, 32, 96)


def test_whole_numbers_serve_as_floats() -> None:
    file = parse(
        "dropout: [0, 0.5]", "label_smoothing: 0", "momentum: {type: float, min: 0, max: 0.9}"
    )
    values = [
        *by_name(file)["dropout"].choices,
        file.space.fixed["label_smoothing"],
        by_name(file)["momentum"].low,
    ]
    assert [type(value) for value in values] == [float] * 4


def test_per_gives_one_parameter_per_block_that_lives_with_its_block() -> None:
    file = parse(
        "filters: {type: choice, values: [8, 16], per: conv_blocks}",
        "conv_blocks: {type: int, min: 2, max: 4}",
    )
    assert [parameter.name for parameter in file.space.parameters] == [
        "conv_blocks",
        "filters_0",
        "filters_1",
        "filters_2",
        "filters_3",
    ]
    assert by_name(file)["filters_1"].conditions == ()
    assert by_name(file)["filters_2"].conditions == (
        Condition(parent="conv_blocks", values=(3, 4)),
    )
    assert by_name(file)["filters_3"].conditions == (Condition(parent="conv_blocks", values=(4,)),)


def test_per_follows_the_family_default_where_the_parent_is_left_out() -> None:
    file = parse("filters: {type: choice, values: [8, 16], per: conv_blocks}")
    assert list(by_name(file)) == ["filters_0", "filters_1", "filters_2"]


def test_a_numbered_name_overrides_its_block_and_lives_with_it() -> None:
    file = parse(
        "conv_blocks: {type: int, min: 1, max: 3}",
        "filters: {type: choice, values: [8, 16], per: conv_blocks}",
        "filters_0: 4",
        "filters_2: [32, 64]",
    )
    assert file.space.fixed == {"filters_0": 4}
    assert list(by_name(file)) == ["conv_blocks", "filters_1", "filters_2"]
    assert by_name(file)["filters_2"].choices == (32, 64)
    assert by_name(file)["filters_2"].conditions == (Condition(parent="conv_blocks", values=(3,)),)


def test_parents_stand_before_their_children() -> None:
    file = parse(
        "momentum: {type: float, min: 0.8, max: 0.9, when: {optimizer: [sgd]}}",
        "optimizer: {type: choice, values: [adam, sgd], when: {batch_norm: true}}",
        "batch_norm: {type: boolean}",
    )
    assert list(by_name(file)) == ["batch_norm", "optimizer", "momentum"]
    assert by_name(file)["momentum"].conditions == (Condition(parent="optimizer", values=("sgd",)),)


def test_a_condition_on_a_fixed_value_always_holds() -> None:
    file = parse(
        "momentum: {type: float, min: 0.8, max: 0.9, when: {optimizer: sgd}}", "optimizer: sgd"
    )
    assert by_name(file)["momentum"].conditions == ()


def test_a_fixed_value_with_a_condition_is_a_choice_of_one() -> None:
    file = parse(
        "momentum: {type: fixed, value: 0.9, when: {optimizer: sgd}}", "optimizer: [adam, sgd]"
    )
    assert by_name(file)["momentum"] == Parameter(
        name="momentum",
        kind="ordinal",
        choices=(0.9,),
        conditions=(Condition(parent="optimizer", values=("sgd",)),),
    )


def test_top_level_normalization_is_a_fixed_value() -> None:
    assert (
        parse("dropout: 0.1", head="normalization: per_image").space.fixed["normalization"]
        == "per_image"
    )


def test_an_own_builder_may_name_its_parameters_freely() -> None:
    file = parse(
        "layers: {type: int, min: 1, max: 2}",
        "units: {type: int, min: 8, max: 64, sampling: log, per: layers}",
        "width: [1, 1.5]",
        head="model: mine.models:build",
    )
    assert by_name(file)["units_1"].conditions == (Condition(parent="layers", values=(2,)),)
    assert by_name(file)["units_0"].log
    assert by_name(file)["width"].choices == (1.0, 1.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(
        "version: 1\nspace:\n  dropout: {type: float, min: 0, max: 0.5}\n  batch_size: 32\n"
    )
    return path


def test_overrides_change_values_add_keys_and_replace_lists(path: Path) -> None:
    file = load_space(
        path,
        [
            "space.dropout.max=0.6",
            "space.dropout.step=0.1",
            "space.batch_size=[16, 32]",
            "space.batch_size.0=8",
            "search.max_epochs=9",
            "compare=[baseline]",
        ],
    )
    assert by_name(file)["dropout"] == Parameter(
        name="dropout", kind="float", low=0.0, high=0.6, step=0.1
    )
    assert by_name(file)["batch_size"].choices == (8, 32)
    assert file.search.max_epochs == 9
    assert file.compare == ("baseline",)


OVERRIDES = {
    "space.dropuot.max=0.6": 'space.dropuot is not a known key.\n  Fix: did you mean "dropout"?',
    "serch.factor=3": 'serch is not a known key.\n  Fix: did you mean "search"?',
    "search.factr=3": 'search.factr is not a known key.\n  Fix: did you mean "factor"?',
    "space.batch_size.max=64": (
        "space.batch_size is 32 and has no keys.\n  Fix: set space.batch_size as a whole."
    ),
    "space.dropout.max=0.95": "space.dropout.max is 0.95; expected a number from 0 to 0.9.",
    "space.dropout.max": "expected PATH=VALUE.\n  Fix: for example --set space.dropout.max=0.6",
    "space.dropout.max=": "expected PATH=VALUE.\n  Fix: for example --set space.dropout.max=0.6",
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_a_wrong_override_is_named_as_it_was_typed(path: Path, override: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_space(path, [override])
    assert str(caught.value) == f"--set {override}: {OVERRIDES[override]}"


def test_an_override_of_a_list_item_that_is_not_there(path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_space(path, ["compare=[baseline]", "compare.1=efficientnet_b2"])
    assert (
        str(caught.value)
        == '--set compare.1=efficientnet_b2: compare is a list of 1; "1" is none of its items.\n'
        "  Fix: use a number from 0 to 0."
    )


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"none\.yaml: cannot be read: No such file or directory\."
    ):
        load_space(tmp_path / "none.yaml")
