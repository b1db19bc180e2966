"""What a builder asks for under which values, with builders of a few lines and no framework."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tuner.errors import ConfigurationError
from tuner.models.exploring import Build, Limit, explore
from tuner.space.declared import Declaration
from tuner.space.definition import Condition, Parameter, Space

NOTHING = Space(parameters=(), fixed={})
UNLIMITED = Limit()


class Hp:
    """Asks as Keras Tuner's `hp` does."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values, self.declared = dict(values), list[Parameter]()

    def ask(self, parameter: Parameter, default: Any) -> Any:
        self.declared.append(parameter)
        return self.values.setdefault(parameter.name, default)

    def number(self, name: str, low: int, high: int) -> int:
        return int(self.ask(Parameter(name=name, kind="int", low=low, high=high), low))

    def rate(self, name: str) -> float:
        return float(self.ask(Parameter(name=name, kind="float", low=0.0, high=1.0), 0.0))

    def switch(self, name: str, default: bool = False) -> bool:
        return bool(self.ask(Parameter(name=name, kind="boolean", choices=(False, True)), default))

    def choice(self, name: str, *choices: str) -> str:
        return str(self.ask(Parameter(name=name, kind="choice", choices=choices), choices[0]))


def found(
    builder: Callable[[Hp], object], given: Space = NOTHING, limit: Limit = UNLIMITED
) -> Declaration:
    """What exploring finds of a builder."""

    def call(values: Mapping[str, Any]) -> Build:
        hp, problem = Hp(values), None
        try:
            builder(hp)
        except ValueError as error:
            problem = str(error)
        return Build(values=hp.values, declared=hp.declared, problem=problem)

    return explore(call, given, limit)


def conditions(declaration: Declaration) -> dict[str, list[tuple[str, tuple[Any, ...]]]]:
    return {p.name: [(c.parent, c.values) for c in p.conditions] for p in declaration.parameters}


def test_loop_over_a_number_gives_one_condition_per_name() -> None:
    def build(hp: Hp) -> None:
        for i in range(hp.number("layers", 1, 4)):
            hp.number(f"units_{i}", 8, 512)

    assert conditions(found(build)) == {
        "layers": [],
        "units_0": [],
        "units_1": [("layers", (2, 3, 4))],
        "units_2": [("layers", (3, 4))],
        "units_3": [("layers", (4,))],
    }


def test_choice_inside_a_choice_is_tried_with_all_its_values() -> None:
    def build(hp: Hp) -> None:
        if hp.choice("kind", "a", "b", "c") == "c" and hp.choice("head", "a", "b", "c", "d") == "b":
            hp.rate("rate")

    assert conditions(found(build)) == {
        "kind": [],
        "head": [("kind", ("c",))],
        "rate": [("kind", ("c",)), ("head", ("b",))],
    }


def test_names_inside_two_questions_need_both() -> None:
    def build(hp: Hp) -> None:
        if hp.choice("kind", "mlp", "cnn", "deep") != "mlp" and hp.switch("norm"):
            hp.rate("momentum")

    assert conditions(found(build)) == {
        "kind": [],
        "norm": [("kind", ("cnn", "deep"))],
        "momentum": [("kind", ("cnn", "deep")), ("norm", (True,))],
    }


def test_either_of_two_questions_is_no_condition_of_ours_and_so_always_searched() -> None:
    def build(hp: Hp) -> None:
        first, second = hp.switch("first", default=True), hp.switch("second")
        if first or second:
            hp.rate("either")
        if first and not second:
            hp.rate("one")

    assert conditions(found(build)) == {
        "first": [],
        "second": [],
        "either": [],
        "one": [("first", (True,)), ("second", (False,))],
    }


def test_name_that_a_float_switches_on_is_found_and_always_searched() -> None:
    def build(hp: Hp) -> None:
        if hp.rate("dropout") > 0.5:
            hp.number("late", 1, 3)

    assert conditions(found(build)) == {"dropout": [], "late": []}


def test_given_values_are_tried_in_the_place_of_declared_ones() -> None:
    def build(hp: Hp) -> None:
        for i in range(hp.number("layers", 1, 9)):
            hp.rate(f"rate_{i}")

    assert set(conditions(found(build, Space(parameters=(), fixed={"layers": 2})))) == {
        "layers",
        "rate_0",
        "rate_1",
    }


def test_setting_that_cannot_be_built_says_nothing_about_conditions() -> None:
    def build(hp: Hp) -> None:
        if hp.choice("kind", "good", "bad") == "bad":
            raise ValueError("too small")
        hp.rate("rate")

    assert conditions(found(build)) == {"kind": [], "rate": []}


def test_builder_that_never_builds_is_refused_with_its_first_reason() -> None:
    def build(hp: Hp) -> None:
        raise ValueError(f"no {hp.choice('kind', 'cat', 'dog')}")

    with pytest.raises(ConfigurationError, match="it builds no model: no cat"):
        found(build)


def test_one_name_with_two_ranges_keeps_the_first_and_says_so() -> None:
    def build(hp: Hp) -> None:
        hp.number("units", 4, 8) if hp.switch("small") else hp.number("units", 16, 32)

    declaration = found(build)
    assert declaration.parameters[1] == Parameter(name="units", kind="int", low=16, high=32)
    note = (
        "units is declared as 16 to 32, whole numbers, and as 4 to 8, whole numbers; the first is"
        " searched"
    )
    assert declaration.notes == (note,)


@pytest.mark.parametrize(("high", "is_refused"), [(8, False), (32, True)])
def test_one_name_in_two_scopes_is_one_parameter_or_a_mistake(high: int, is_refused: bool) -> None:
    def build(hp: Hp) -> None:
        hp.choice("kind", "a", "b", "c")
        for kind, top in (("a", 8), ("b", high)):
            scope = (Condition(parent="kind", values=(kind,)),)
            hp.ask(Parameter(name="units", kind="int", low=4, high=top, conditions=scope), 4)

    if is_refused:
        message = "it declares units in two ways: 4 to 8, whole numbers, and 4 to 32, whole numbers"
        with pytest.raises(ConfigurationError, match=message):
            found(build)
    else:
        assert conditions(found(build))["units"] == [("kind", ("a", "b"))]


@pytest.mark.parametrize("limit", [Limit(seconds=0.0), Limit(wall_seconds=0.0)])
def test_slow_builder_is_called_once_and_said_to_be_half_known(limit: Limit) -> None:
    def build(hp: Hp) -> None:
        if hp.switch("deep"):
            hp.rate("rate")

    declaration = found(build, limit=limit)
    assert (conditions(declaration), declaration.is_thorough) == ({"deep": []}, False)


def test_exploring_ends_whatever_a_builder_asks() -> None:
    def build(hp: Hp) -> None:
        for i in range(hp.number("layers", 1, 40)):
            hp.choice(f"kind_{i}", *"abcdefgh")

    began = time.monotonic()
    declaration = found(build)
    assert {f"kind_{i}" for i in range(40)} < declaration.names
    assert time.monotonic() - began < 6
