"""A builder's hash changes with each value that it uses, and with nothing else."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import logging
import pathlib
import re
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
import pytest

from tuner.api.given_model.digest import Digest, digest_of
from tuner.api.given_model.module_of import model_name
from tuner.errors import ConfigurationError


@dataclasses.dataclass(frozen=True, slots=True)
class Slots:
    n: int


class Named(NamedTuple):
    n: int


class Number(int):
    pass


class Colour(enum.IntEnum):
    RED = 1
    BLUE = 2


class Plain:
    def __init__(self, n: int) -> None:
        self.n = n

    def method(self) -> int:
        return self.n


def using(value: Any) -> Callable[[Any], Any]:
    def build(hp: Any) -> Any:
        return value

    return build


def _cached(n: int) -> Any:
    @functools.lru_cache
    def size() -> int:
        return n

    return size


def _model(units: int) -> keras.Model:
    layers = [keras.Input((2,)), keras.layers.Dense(units, kernel_initializer="ones")]
    return keras.Sequential(layers)


KINDS: dict[str, Callable[[int], Any]] = {
    "range": lambda n: range(2, n + 2),
    "path": lambda n: pathlib.Path(str(n)),
    "pattern": lambda n: re.compile(str(n)),
    "decimal": decimal.Decimal,
    "slice": slice,
    "deque": lambda n: collections.deque([n]),
    "slots": Slots,
    "named tuple": Named,
    "number": Number,
    "enum": Colour,
    "object": Plain,
    "method": lambda n: Plain(n).method,
    "partial": lambda n: functools.partial(print, n),
    "cached": _cached,
    "namespace": lambda n: types.SimpleNamespace(n=n),
    "ordered": lambda n: collections.OrderedDict(a=n),
    "default dict": lambda n: collections.defaultdict(list, a=n),
    "factory": lambda n: collections.defaultdict([list, dict, set][n]),
    "counter": lambda n: collections.Counter([n]),
    "date": lambda n: datetime.date(2026, 1, n),
    "bytearray": lambda n: bytearray([n]),
    "set": lambda n: {"a", n},
    "frozen set": lambda n: frozenset(["a", n]),
    "logger": lambda n: logging.getLogger(f"tests.{n}"),
    "array": lambda n: np.full(3, n),
    "shape": lambda n: np.zeros((n, 2 // n)),
    "type": lambda n: np.zeros(2, f"f{4 * n}"),
    "array of objects": lambda n: np.array(["a", n, None], dtype=object),
    "masked": lambda n: np.ma.masked_equal([1, 2], n),
    "scalar": np.float32,
    "tensor": lambda n: keras.ops.convert_to_tensor([n]),
    "frame": lambda n: pd.DataFrame({"a": [n], "b": ["text"]}),
    "series": lambda n: pd.Series([1.0], index=[n]),
    "optimizer": lambda n: keras.optimizers.Adam(n / 10),
    "layer": lambda n: keras.layers.RandomRotation(n / 10),
    "model": _model,
    "loss": lambda n: keras.losses.CategoricalCrossentropy(label_smoothing=n / 10),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_another_value_is_another_builder_and_an_equal_one_is_not(kind: str) -> None:
    make = KINDS[kind]
    first, again, other = (digest_of(using(make(n))) for n in (1, 1, 2))
    assert first == again
    assert first != other


def conv() -> int:
    return 1


def dense() -> int:
    return 2


def test_the_order_of_what_is_used_twice_counts() -> None:
    def blocks(used: Sequence[Any]) -> Digest:
        return digest_of(using([Plain(one) if isinstance(one, int) else one for one in used]))

    one, two = Plain(1), Plain(2)
    assert digest_of(using([one, two, one])) != digest_of(using([one, two, two]))
    assert blocks([conv, dense, conv]) != blocks([conv, dense, dense])


def test_a_variable_that_an_inner_function_never_gets_has_no_value() -> None:
    def make(*, is_there: bool) -> Any:
        def build(hp: Any) -> Any:
            return later

        if is_there:
            later = 1
        return build

    absent, present = (make(is_there=there) for there in (False, True))
    assert digest_of(absent) == digest_of(make(is_there=False)) != digest_of(present)


def test_weights_of_a_model_count() -> None:
    model = _model(2)
    before = digest_of(using(model))
    model.set_weights([2 * weight + 1 for weight in model.get_weights()])
    assert digest_of(using(model)) != before


def test_a_logger_that_is_used_stays_the_same() -> None:
    logger = logging.getLogger("tests.used")
    before = digest_of(using(logger))
    logger.isEnabledFor(logging.DEBUG)
    logging.getLogger("tests.used.below")
    assert digest_of(using(logger)) == before


def test_an_object_that_was_pickled_once_stays_the_same() -> None:
    kinds: list[Any] = []
    for _ in range(2):
        names: dict[str, Any] = {"__name__": "__main__"}
        exec("class Mine:\n    __slots__ = ('n',)\nmine = Mine()\nmine.n = 1", names)
        kinds.append(names["mine"])
    first = digest_of(kinds[0])
    assert digest_of(kinds[0]) == first == digest_of(kinds[1])


def test_an_attribute_is_no_global_of_that_name() -> None:
    def digest(units: int) -> Digest:
        names: dict[str, Any] = {"__name__": "__main__", "units": units}
        exec("def build(hp):\n    return hp.units\n", names)
        return digest_of(names["build"])

    assert digest(1) == digest(2)


@pytest.mark.parametrize(
    "value",
    [
        threading.Lock(),
        memoryview(b"a"),
        (one for one in "ab"),
        keras.layers.Lambda(lambda x: x),
        keras.layers.Dense(2, activation=lambda x: x),
    ],
    ids=["lock", "memory", "generator", "lambda layer", "activation"],
)
def test_what_has_no_identity_is_refused(value: Any, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigurationError, match="build cannot be sent to another process: ") as e:
        model_name(using(value), tmp_path)
    assert 'model="my_module:build"' in e.value.hint


def test_deep_nesting_is_refused(tmp_path: pathlib.Path) -> None:
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        model_name(using(deep), tmp_path)
