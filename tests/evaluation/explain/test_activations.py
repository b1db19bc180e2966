"""What the first convolutions see: which images, which maps, and how they are drawn."""

from __future__ import annotations

import io

import keras
import numpy as np
from keras import layers
from PIL import Image

from tests.evaluation.explain.networks import SIDE, bright_square, linear_network
from tests.images import SMALL_CNN, image_spec
from tuner.evaluation.explain.activations import draw_activations, first_of_each_class
from tuner.evaluation.explain.convolutions import convolutions, maps_of
from tuner.evaluation.explain.drawing import PictureFiles, strip
from tuner.models.registry import build


def test_image_of_a_class_is_the_one_with_the_lowest_row() -> None:
    labels, rows = np.array([2, 0, 2, 0]), np.array([30, 20, 10, 40])
    assert first_of_each_class(labels, rows) == [1, 2]


def test_ten_classes_are_shown_at_most() -> None:
    assert first_of_each_class(np.arange(15), np.arange(15)) == list(range(10))


def test_maps_are_those_of_the_first_convolutions_with_norm_and_activation() -> None:
    model = build("cnn", {**SMALL_CNN, "conv_blocks": 3, "filters": 9}, image_spec())
    found = convolutions(model)
    assert [one.end.__class__.__name__ for one in found] == ["BatchNormalization"] * 3
    first, second = maps_of(model, found[:2], bright_square(2, 2))
    assert (first.shape, second.shape) == ((1, 8, 8, 9), (1, 4, 4, 9))
    assert first.min() == 0, "ReLU stands behind the pooling"
    pictures = PictureFiles()
    drawn = draw_activations(model, bright_square(2, 2), np.array([1]), ["b.png"], 2, pictures)
    assert drawn is not None
    assert (drawn.n_channels, drawn.n_classes) == (((8, 9), (8, 9)), 2)
    (row,) = drawn.rows
    assert (row.truth, row.origin, len(row.maps)) == (1, "b.png", 2)
    assert {row.picture, *row.maps} == set(pictures.files)


def test_each_map_is_drawn_from_its_own_least_to_its_own_largest() -> None:
    maps = np.stack([np.eye(4), 100 + 50 * np.eye(4), np.full((4, 4), 7.0)], axis=-1)
    pixels = np.asarray(strip(maps))
    assert pixels.shape == (4, 3 * 4 + 2)
    assert np.array_equal(pixels[:, :4], 255 * np.eye(4))
    assert np.array_equal(pixels[:, :4], pixels[:, 5:9])
    assert not pixels[:, 10:].any(), "a map that is the same everywhere is black"


def test_eight_maps_stand_in_two_lines_and_large_ones_are_shrunk() -> None:
    pictures = PictureFiles()
    name = pictures.add("strip", strip(np.random.default_rng(0).random((130, 130, 8))))
    assert Image.open(io.BytesIO(pictures.files[name])).size == (4 * 48 + 3 * 3, 2 * 48 + 3)


def test_network_without_convolution_shows_nothing() -> None:
    model = keras.Sequential([layers.Input((SIDE, SIDE, 1)), layers.Flatten(), layers.Dense(2)])
    assert (
        draw_activations(model, bright_square(0, 0), np.array([0]), ["a"], 2, PictureFiles())
        is None
    )


def test_one_convolution_gives_one_layer() -> None:
    drawn = draw_activations(
        linear_network(np.ones((2, 2))),
        bright_square(0, 0),
        np.array([0]),
        ["a"],
        2,
        PictureFiles(),
    )
    assert drawn is not None
    assert (drawn.layers, drawn.n_channels) == (("conv",), ((2, 2),))
