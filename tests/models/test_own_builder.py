"""What your own builders are called with, whichever form they have."""

from __future__ import annotations

import functools
from typing import Any

import keras_tuner
import pytest

from tests.images import image_spec
from tuner.errors import ConfigurationError
from tuner.models import own_builder as own_module
from tuner.models.keras_tuner_builder import declared as declared_by
from tuner.models.keras_tuner_builder import fit_is_own, hyperparameters
from tuner.models.own_builder import own_builder
from tuner.models.read_values import ReadValues
from tuner.space.definition import Condition, Parameter

SPEC = image_spec(n_classes=3)
HP = object()


def hp_only(hp: Any) -> Any:
    return hp


def unnamed(anything: Any) -> Any:
    return ("hp", anything)


def with_defaults(
    hp: Any, n_classes: int = 10, width: int = 7, classes: tuple[str, ...] = ("a",)
) -> Any:
    return hp, n_classes, width, classes


def swapped(spec: Any, hp: Any) -> Any:
    return spec, hp


def named_otherwise(config: Any, images: Any) -> Any:
    return config, images


def filled(values: Any, *, num_classes: int, input_shape: Any = None) -> Any:
    return values, num_classes, input_shape


def nothing() -> Any:
    return "nothing"


def decorated(function: Any) -> Any:
    @functools.wraps(function)
    def call(first: Any, second: Any = None) -> Any:
        return function(first) if second is None else function(first, second)

    return call


@decorated
def wrapped(hp: Any) -> Any:
    return hp


class Hyper(keras_tuner.HyperModel):
    def __init__(self, n: int = 2, num_classes: int = 0) -> None:
        super().__init__()
        self.n, self.num_classes = n, num_classes

    def build(self, hyper: Any, classes: int = 5) -> Any:
        return self.n, self.num_classes, classes, hyper


class Fitting(Hyper):
    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError


class Needy(keras_tuner.HyperModel):
    def __init__(self, folder: str) -> None:
        super().__init__()


class Plain:
    def build(self, hp: Any) -> Any:
        return hp


CASES: dict[str, tuple[Any, Any]] = {
    "hp": (hp_only, HP),
    "one parameter of another name": (unnamed, ("hp", HP)),
    "further parameters": (with_defaults, (HP, 3, 7, ("a",))),
    "the other way round": (swapped, (SPEC, HP)),
    "two parameters of other names": (named_otherwise, (HP, SPEC)),
    "keyword-only": (filled, (HP, 3, (8, 8, 1))),
    "without parameters": (nothing, "nothing"),
    "decorator with names of its own": (wrapped, HP),
    "partial": (functools.partial(with_defaults, width=1), (HP, 3, 1, ("a",))),
    "instance of HyperModel": (Hyper(4), (4, 0, 3, HP)),
    "class of HyperModel": (Hyper, (2, 3, 3, HP)),
    "class of one's own": (Plain, HP),
}


def loaded(monkeypatch: pytest.MonkeyPatch, target: Any) -> own_module.OwnBuilder:
    monkeypatch.setattr(own_module, "load_own", lambda model: target)
    return own_builder("m:target", SPEC)


@pytest.mark.parametrize(("target", "expected"), CASES.values(), ids=CASES)
def test_builder_gets_what_its_parameters_mean(
    monkeypatch: pytest.MonkeyPatch, target: Any, expected: Any
) -> None:
    assert loaded(monkeypatch, target).build(HP) == expected


@pytest.mark.parametrize(
    ("target", "takes_hp"), [(swapped, True), (named_otherwise, False), (Hyper, True)]
)
def test_form_is_told_by_what_it_gets(
    monkeypatch: pytest.MonkeyPatch, target: Any, takes_hp: bool
) -> None:
    assert loaded(monkeypatch, target).takes_hp is takes_hp


def unknown(hp: Any, folder: str) -> Any:
    return hp, folder


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (3, 'model "m:target" is an int, which builds no model'),
        (unknown, 'model "m:target": no value is available for its parameter folder'),
        (Needy, 'model "m:target": no value is available for its constructor\'s parameter folder'),
        (dict, 'model "m:target" is a class without a build method'),
    ],
)
def test_what_cannot_be_called_is_refused(
    monkeypatch: pytest.MonkeyPatch, target: Any, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(monkeypatch, target)
    assert caught.value.message == message


@pytest.mark.parametrize("name", ["Model", "layers"])
def test_a_model_or_a_module_is_no_builder(name: str) -> None:
    message = (
        'model "keras:Model" is the class of a model'
        if name == "Model"
        else "is a module, which builds no model"
    )
    with pytest.raises(ConfigurationError, match=message):
        own_builder(f"keras:{name}", SPEC)


def test_fit_of_ones_own_is_noticed() -> None:
    assert [fit_is_own(target) for target in (Fitting(), Hyper(), hp_only)] == [True, False, False]


def test_declarations_become_parameters() -> None:
    hp = hyperparameters({"kind": "a"})
    hp.Choice("kind", ["a", "b"])
    hp.Choice("norm", [True, False])
    hp.Choice("only", ["relu"])
    hp.Choice("code", [3, 1], ordered=False)
    hp.Int("units", 8, 30, step=8)
    hp.Int("layers", 1, 3)
    hp.Int("power", 4, 40, step=2, sampling="log")
    hp.Int("fixed", 3, 3)
    hp.Fixed("last", "softmax")
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    hp.Float("back", 0.1, 1.0, sampling="reverse_log")
    hp.Boolean("bias")
    with hp.name_scope("head"):
        hp.Float("drop", 0, 0.55, step=0.2)
    with hp.conditional_scope("kind", ["b"]):
        hp.Int("late", 1, 2)
    assert "kind" in hp
    found, notes = declared_by(hp)
    assert found == [
        Parameter(name="kind", kind="choice", choices=("a", "b")),
        Parameter(name="norm", kind="ordinal", choices=(1, 0)),
        Parameter(name="only", kind="choice", choices=("relu",)),
        Parameter(name="code", kind="choice", choices=(3, 1)),
        Parameter(name="units", kind="int", low=8, high=24, step=8),
        Parameter(name="layers", kind="int", low=1, high=3),
        Parameter(name="power", kind="ordinal", choices=(4, 8, 16, 32)),
        Parameter(name="fixed", kind="ordinal", choices=(3,)),
        Parameter(name="last", kind="choice", choices=("softmax",)),
        Parameter(name="rate", kind="float", low=1e-4, high=1e-1, log=True),
        Parameter(name="back", kind="float", low=0.1, high=1.0),
        Parameter(name="bias", kind="boolean", choices=(False, True)),
        Parameter(name="head/drop", kind="float", low=0.0, high=0.4, step=0.2),
        Parameter(
            name="late",
            kind="int",
            low=1,
            high=2,
            conditions=(Condition(parent="kind", values=("b",)),),
        ),
    ]
    assert notes == ["back is declared with sampling reverse_log; it is searched on a linear scale"]
    assert hp.read == {"kind"}


@pytest.mark.parametrize(
    "read",
    [lambda v: dict(**v), lambda v: [*v], lambda v: v.items(), lambda v: {**v}, lambda v: v.copy()],
)
def test_mapping_that_is_gone_through_reads_all(read: Any) -> None:
    values = ReadValues({"units": 3})
    read(values)
    assert values.reads_all


def test_mapping_keeps_what_is_read() -> None:
    values = ReadValues({"units": 3})
    assert values["units"] == 3
    assert values.get("rate", 0.5) == 0.5
    assert "norm" not in values
    assert values.pop("last", "softmax") == "softmax"
    with pytest.raises(KeyError):
        values["depth"]
    assert values.read == {"units", "rate", "norm", "last", "depth"}
    assert (values.defaults, values.missing, values.reads_all) == (
        {"rate": 0.5, "last": "softmax"},
        "depth",
        False,
    )
