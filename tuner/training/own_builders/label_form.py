"""The form of labels that a model's loss takes: class numbers, or one-hot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

import keras
import numpy as np

# Class numbers (n,), one-hot (n, classes), class numbers as a column (n, 1), or the same as 0 and 1
# for one unit.
Form = Literal["numbers", "one_hot", "number_column", "column"]

Loss = Callable[[Any, Any], Any]

# What has been found out about a model: a loss of your own is tried, which takes longer than a
# batch.
_FORMS: WeakKeyDictionary[keras.Model, Form] = WeakKeyDictionary()


def in_form(form: Form, labels: np.ndarray, units: int) -> np.ndarray:
    """Class numbers (n,) in another form; numbers are int32, all else float32."""
    if form == "numbers":
        return labels.astype("int32")
    if form == "number_column":
        return labels[:, None].astype("int32")
    if form == "column":
        return labels[:, None].astype("float32")
    one_hot = np.zeros((len(labels), units), dtype="float32")
    one_hot[np.arange(len(labels)), labels] = 1
    return one_hot


def form_of(model: keras.Model, units: int) -> Form:
    """The form that a compiled model's loss takes; found once for each model."""
    if model not in _FORMS:
        _FORMS[model] = _find(model, units)
    return _FORMS[model]


def _candidates(units: int) -> tuple[Form, ...]:
    """The forms that a loss may take, the usual first."""
    return ("column", "numbers") if units == 1 else ("one_hot", "numbers", "number_column")


def only_loss(loss: Any) -> Any:
    """A compiled loss, which may stand alone in a dict or a list."""
    while isinstance(loss, list | tuple | Mapping) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, Mapping) else loss))
    return loss


def loss_functions(model: keras.Model) -> list[Loss]:
    """What computes a model's loss from labels and outputs, the likeliest first.

    Empty where that is not known.
    """
    found: list[Loss] = []
    if type(model).compute_loss is not keras.Model.compute_loss:
        found.append(lambda y, outputs: model.compute_loss(None, y, outputs))
    loss = only_loss(getattr(model, "loss", None))
    if isinstance(loss, str):
        # Keras chooses one by the labels' form then, and by the outputs.
        loss = keras.losses.get(loss) if loss.lower() not in ("crossentropy", "ce") else None
    if callable(loss):
        found.append(loss)
    # Models with a training step of their own often keep their loss as an attribute.
    found += [
        value
        for value in vars(model).values()
        if isinstance(value, keras.losses.Loss) and value is not loss
    ]
    return [one for one in found if not type(one).__name__.startswith("Compile")]


def function_of(loss: Any) -> Any:
    """The function inside a loss of Keras' own, or the loss itself."""
    inner = getattr(loss, "fn", loss) if isinstance(loss, keras.losses.Loss) else loss
    return inner.func if isinstance(inner, partial) else inner


def _find(model: keras.Model, units: int) -> Form:
    usual = _candidates(units)[0]
    losses = loss_functions(model)
    if not losses:
        return usual
    for loss in losses:
        function = function_of(loss)
        module = str(getattr(function, "__module__", ""))
        if module.startswith("tuner.backend."):
            return usual
        if module.startswith("keras.src.losses"):
            name = getattr(function, "__name__", type(function).__name__)
            return "numbers" if "sparse" in name.lower() else usual
        working = [form for form in _candidates(units) if _is_right(loss, form, units)]
        is_sparse = str(getattr(loss, "name", None) or getattr(loss, "__name__", "")).startswith(
            "sparse"
        )
        if working:
            return "numbers" if is_sparse and "numbers" in working else working[0]
        if is_sparse:
            return "numbers"
    return usual


def _is_right(loss: Loss, form: Form, units: int) -> bool:
    """Whether a loss takes labels in a form, and is smaller the better the outputs are."""
    n_classes = max(units, 2)
    # As many labels as classes would let some wrong forms pass.
    labels = np.arange(n_classes + 3) % n_classes
    sure = np.full((len(labels), n_classes), 0.1 / (n_classes - 1), dtype="float32")
    sure[np.arange(len(labels)), labels] = 0.9
    outputs = sure[:, 1:] if units == 1 else sure
    wrong = 1 - outputs if units == 1 else np.roll(outputs, 1, axis=1)
    values = [loss_value(loss, in_form(form, labels, units), one) for one in (outputs, wrong)]
    return all(np.isfinite(values)) and values[0] < values[1]


def loss_value(loss: Loss, targets: np.ndarray, outputs: np.ndarray) -> float:
    """The mean loss of some outputs (n, units); NaN where it cannot be computed."""
    try:
        value = loss(keras.ops.convert_to_tensor(targets), keras.ops.convert_to_tensor(outputs))
        return float(np.mean(keras.ops.convert_to_numpy(value)))
    # A loss of your own may raise anything on labels that it is not made for.
    except Exception:
        return float("nan")
