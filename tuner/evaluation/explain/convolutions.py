"""The convolutions of a network, and their feature maps.

The layers of a network inside another count like its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any, Literal

import keras
import numpy as np
from keras import layers

_CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
# They change every number of a map where it stands.
_IN_PLACE = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """A convolution with the normalization and activation that belong to it.

    Attributes:
        name: The convolution's.
        end: The last of these layers.
        is_rectified_later: Whether a ReLU follows a max pooling, which does the same as a ReLU in
            front of it.
    """

    name: str
    end: Any
    is_rectified_later: bool


def convolutions(model: keras.Model) -> tuple[Convolution, ...]:
    """The convolutions whose maps have more than one place, in order.

    None of a model without a graph of its layers.

    A layer that is called several times is passed over.

    Args:
        model: With any number of inputs and outputs.
    """
    steps = list(_steps(model))
    return tuple(
        _convolution(
            layer, [follower for follower, _ in takewhile(lambda step: step[1], steps[i + 1 :])]
        )
        for i, (layer, _) in enumerate(steps)
        if isinstance(layer, _CONVOLUTIONS) and tuple(_tensor(layer, "output").shape[1:3]) != (1, 1)
    )


def maps_of(
    model: keras.Model, chosen: Sequence[Convolution], images: np.ndarray
) -> list[np.ndarray]:
    """Feature maps of images (n, height, width, channels).

    One float32 array (n, rows, columns, channels) per convolution.
    """
    found: dict[str, np.ndarray] = {}

    def keep(name: str, maps: Any) -> Any:
        found[name] = keras.ops.convert_to_numpy(keras.ops.cast(maps, "float32"))
        return maps

    with ExitStack() as stack:
        for one in chosen:
            stack.enter_context(tapped(one.end, partial(keep, one.name)))
        model(images.astype("float32"), training=False)
    return [
        np.maximum(found[one.name], 0) if one.is_rectified_later else found[one.name]
        for one in chosen
    ]


@contextmanager
def tapped(layer: Any, tap: Callable[[Any], Any]) -> Iterator[None]:
    """Let a layer put out what `tap` makes of its outputs.

    A network inside another has a graph of its own, so that no Keras model reaches from the outer
    inputs to its layers.
    """
    call = layer.call
    layer.call = lambda *args, **options: tap(call(*args, **options))
    try:
        yield
    finally:
        del layer.call


def _steps(model: keras.Model) -> Iterator[tuple[Any, bool]]:
    """Each layer in the order of the graph, and whether it takes what the one before puts out."""
    if not getattr(model, "inputs", None):
        return
    previous = None
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _steps(layer)
            previous = None
            continue
        # A Sequential that was loaded keeps the graphs of all its beginnings, and its layers the
        # first one's tensors.
        if _tensor(layer, "output") is None:
            # It is called several times, so that there is no such thing as its output.
            previous = None
            continue
        is_next = isinstance(model, keras.Sequential) or _tensor(layer, "input") is _tensor(
            previous, "output"
        )
        yield layer, previous is not None and is_next
        previous = layer


def _tensor(layer: Any, name: Literal["input", "output"]) -> Any:
    """A layer's `input` or `output`; None where it has none, or several."""
    try:
        return getattr(layer, name, None)
    # Keras' words for several of them.
    except ValueError:
        return None


def _convolution(layer: Any, followers: list[Any]) -> Convolution:
    in_place = list(takewhile(lambda follower: isinstance(follower, _IN_PLACE), followers))
    kinds = [type(follower) for follower in followers[len(in_place) :][:2]]
    return Convolution(
        name=layer.name,
        end=[layer, *in_place][-1],
        is_rectified_later=kinds == [layers.MaxPooling2D, layers.ReLU],
    )
