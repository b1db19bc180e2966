"""What a space leaves out is searched as code declares it; what it says has to fit."""

from __future__ import annotations

from typing import Any

import pytest

from tuner.errors import ConfigurationError
from tuner.space.declared import Declaration, allows, completed
from tuner.space.definition import Condition, Parameter, SearchSpaceFile
from tuner.space.documents.strict_yaml import Document, parse_document, raise_problems
from tuner.space.held import check_held, check_loop
from tuner.space.parsing.parse import parse_space

KIND = Parameter(name="kind", kind="choice", choices=("mlp", "cnn", "deep"))
UNITS = Parameter(name="units", kind="int", low=8, high=16, step=8)
LAYERS = Parameter(name="layers", kind="int", low=1, high=4)
RATE = Parameter(name="rate", kind="float", low=0.0, high=0.5, step=0.25)
LAST = Parameter(name="last", kind="choice", choices=("softmax",))


def of(parameter: Parameter, parent: str, *values: Any) -> Parameter:
    """The parameter under one more condition."""
    condition = Condition(parent=parent, values=values)
    return Parameter(
        name=parameter.name, kind=parameter.kind, low=parameter.low, high=parameter.high,
        step=parameter.step, choices=parameter.choices,
        conditions=(*parameter.conditions, condition),
    )  # fmt: skip


def read(space: str, more: str = "") -> tuple[Document, SearchSpaceFile]:
    document = parse_document(f"version: 1\nmodel: m:build\nspace:\n{space}\n{more}", "own.yaml")
    return document, parse_space(document)


def whole(space: str, *declared: Parameter) -> tuple[dict[str, Any], dict[str, Parameter]]:
    """Fixed values and searched parameters of a space, completed."""
    found = completed(read(space)[1].space, Declaration(parameters=declared))
    return dict(found.fixed), {parameter.name: parameter for parameter in found.parameters}


def mistakes(space: str, declaration: Declaration, more: str = "") -> list[str]:
    return [str(problem) for problem in check_held(*read(space, more), declaration)]


def test_what_is_left_out_is_searched_as_declared_and_what_is_said_holds() -> None:
    fixed, searched = whole("  units: 8", UNITS, RATE, LAST, of(LAYERS, "rate", 0.25))
    assert fixed == {"units": 8, "last": "softmax"}
    assert searched == {"rate": RATE, "layers": of(LAYERS, "rate", 0.25)}


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        ("  kind: mlp", None),
        ("  kind: cnn", ()),
        ("  kind: [cnn, deep]", ()),
        ("  kind: [mlp, cnn]", (Condition(parent="kind", values=("cnn",)),)),
    ],
)
def test_conditions_are_held_against_what_the_space_says_of_the_parent(
    space: str, expected: Any
) -> None:
    searched = whole(space, KIND, of(UNITS, "kind", "cnn", "deep"))[1]
    assert (searched["units"].conditions if "units" in searched else None) == expected


def test_what_depends_on_what_is_out_of_reach_goes_too() -> None:
    searched = whole("  kind: mlp", KIND, of(LAYERS, "kind", "cnn"), of(UNITS, "layers", 2))[1]
    assert searched == {}


def test_defaults_of_names_that_are_looked_up_are_kept() -> None:
    declaration = Declaration(read=frozenset({"units"}), defaults={"units": 32, "batch_size": 8})
    assert completed(read("  batch_size: 16")[1].space, declaration).fixed == {
        "batch_size": 16,
        "units": 32,
    }


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (UNITS, [8, 16], [12, 24, 8.0, True, "8"]),
        (RATE, [0, 0.25, 0.5], [0.3, 0.75, "a"]),
        (KIND, ["mlp"], ["mpl", 1]),
        (Parameter(name="norm", kind="choice", choices=(1, 0)), [True, 0], [2, "true"]),
        (Parameter(name="size", kind="choice", choices=(1, 2)), [1, 2], [True]),
    ],
)
def test_values_are_those_that_the_code_declares(
    parameter: Parameter, good: list[Any], bad: list[Any]
) -> None:
    assert [allows(parameter, value) for value in [*good, *bad]] == [True] * len(good) + [
        False
    ] * len(bad)


def test_name_that_is_never_asked_for_is_refused_with_line_and_nearest() -> None:
    typo = Parameter(name="unitz", kind="choice", choices=(4, 8))
    assert mistakes("  units: [8, 16]\n  batch_size: 16", Declaration(parameters=(typo,))) == [
        'own.yaml:4: m:build never reads space.units.\n  Fix: did you mean "unitz"?'
    ]


def test_names_of_a_per_are_counted_one_by_one() -> None:
    layers = Parameter(name="layers", kind="int", low=1, high=3)
    first = Parameter(name="units_1", kind="int", low=8, high=16)
    space = (
        "  layers: {type: int, min: 1, max: 2}\n  units: {type: int, min: 8, max: 16, per: layers}"
    )
    assert mistakes(space, Declaration(parameters=(layers, first))) == [
        "own.yaml:5: space.units gives units_0, but m:build never reads it.\n  Fix: did you mean"
        ' "units_1"?'
    ]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            "  units: {type: int, min: 100, max: 200}",
            "own.yaml:4: space.units.min is 100; m:build declares 8 to 16",
        ),
        (
            "  units: [8, 12]",
            "own.yaml:4: space.units.1 is 12; m:build declares 8 to 16 in steps of 8.",
        ),
        ("  units: 7", "own.yaml:4: space.units is 7; m:build declares 8 to 16 in steps of 8."),
        (
            "  units: {type: int, min: 8, max: 16}",
            "own.yaml:4: space.units takes values between those that m:build",
        ),
        (
            "  kind: [mlp, cn]",
            'own.yaml:4: space.kind.1 is "cn"; m:build declares "mlp", "cnn" or "deep".',
        ),
        (
            "  rate: {type: float, min: 0, max: 0.5}",
            "own.yaml:4: space.rate takes values between those that m:build",
        ),
    ],
)
def test_values_outside_of_the_code_are_refused(space: str, message: str) -> None:
    first, *_ = mistakes(space, Declaration(parameters=(UNITS, KIND, RATE)))
    assert first.startswith(message)


def test_values_within_the_code_are_in_order() -> None:
    space = (
        "  units: [8, 16]\n  rate: {type: float, min: 0, max: 0.25, step: 0.25}\n  kind: [cnn,"
        " deep]"
    )
    assert mistakes(space, Declaration(parameters=(UNITS, KIND, RATE))) == []


def test_each_of_several_ranges_is_held_against_the_code() -> None:
    space = """  kind: [mlp, cnn]
  units:
    - {type: int, min: 8, max: 16, step: 8, when: {kind: mlp}}
    - {type: int, min: 8, max: 24, step: 8, when: {kind: cnn}}"""
    declaration = Declaration(parameters=(KIND, UNITS))
    assert mistakes(space, declaration) == [
        "own.yaml:7: space.units.1.max is 24; m:build declares 8 to 16 in steps of 8.\n"
        "  Fix: stay within that, or change the builder."
    ]
    _, searched = whole(space, KIND, of(LAYERS, "units", 8, 24), of(RATE, "units", 32))
    # Neither range reaches 32; the other values are those that some range has.
    assert "rate" not in searched
    assert searched["layers"].conditions == (Condition(parent="units", values=(8, 24)),)


def test_terms_of_the_training_loop_are_names_where_it_reads_them() -> None:
    space = "  optimizer: [adam, sgd]\n  learning_rate: 0.1\n  batch_size: 16\n  rotation: 10.0"
    assert mistakes(space, Declaration(is_compiled=False)) == []
    hint = "\n  Fix: read optimizer from hp in the builder, or remove it."
    assert mistakes(space, Declaration())[0] == (
        "own.yaml:4: space.optimizer has no effect: m:build compiles its model itself and never"
        " reads optimizer." + hint
    )
    assert len(mistakes(space, Declaration())) == 2
    assert mistakes("  batch_size: many", Declaration())[0].startswith(
        'own.yaml:4: space.batch_size is "many"; expected a whole number from 1 to 65536.'
    )


@pytest.mark.parametrize(
    "declaration", [Declaration(reads_all=True), Declaration(is_thorough=False)]
)
def test_nothing_is_refused_that_may_have_an_effect(declaration: Declaration) -> None:
    assert mistakes("  units: [8, 16]", declaration) == []


def test_normalization_above_the_space_is_a_name_too() -> None:
    problems = mistakes("  batch_size: 16", Declaration(), "normalization: rescale")
    assert problems == [
        "own.yaml:5: normalization has no effect: m:build never reads it.\n  Fix: remove it."
    ]
    assert (
        mistakes(
            "  batch_size: 16",
            Declaration(read=frozenset({"normalization"})),
            "normalization: rescale",
        )
        == []
    )


def test_value_that_the_builder_cannot_do_without_is_named_with_what_was_meant() -> None:
    declaration = Declaration(read=frozenset({"units"}), missing=("units",))
    missing, unread = mistakes("  unitz: [8, 16]", declaration)
    assert missing == (
        'own.yaml:3: m:build reads values["units"], which the space does not give.\n  Fix:'
        ' write units instead of "unitz".'
    )
    assert unread.startswith("own.yaml:4: m:build never reads space.unitz")


def test_declared_name_that_the_training_loop_reads_too_must_suit_both() -> None:
    zoom = Parameter(name="zoom", kind="float", low=-1.0, high=1.0)
    flip = Parameter(name="flip", kind="choice", choices=(1, 0))
    with pytest.raises(
        ConfigurationError, match=r'model "m:build": it declares zoom as -1\.0 to 1\.0, but the'
    ):
        raise_problems(check_loop(Declaration(parameters=(zoom, flip)), "m:build"))
    assert check_loop(Declaration(parameters=(flip,)), "m:build") == []
