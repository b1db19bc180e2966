"""The gallery of a run: which images, under which names, how large."""

from __future__ import annotations

import io

import keras
import numpy as np
import pytest
from PIL import Image

from tests.evaluation.explain.networks import SIDE, linear_network
from tests.images import image_spec
from tuner.evaluation.explain import explained_images
from tuner.evaluation.explain.drawing import PictureFiles, heat, thumbnail
from tuner.evaluation.explain.explained_images import choose, make_pictures, shown_origin
from tuner.records.pictures import Gallery

SPEC = image_spec(side=SIDE)


def confidences(values: list[float]) -> np.ndarray:
    """Probabilities of two classes; class 0 is predicted."""
    return np.array([[v, 1 - v] for v in values])


def pictured(model: keras.Model | None = None) -> tuple[Gallery, dict[str, bytes]]:
    """A gallery of six test images among ten, the last two of which are mistaken."""
    images = np.random.default_rng(0).integers(0, 256, size=(10, SIDE, SIDE, 1), dtype=np.uint8)
    labels = np.array([0, 0, 0, 1, 1, 1])
    probabilities = np.array(
        [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8], [0.55, 0.45], [0.95, 0.05]]
    )
    origins = [f"c/{n}.png" for n in range(4, 10)]
    found, _, files = make_pictures(
        model or linear_network(np.array([[1.0, -1.0], [1.0, 0.0]])),
        images,
        np.arange(4, 10),
        labels,
        probabilities,
        origins,
        SPEC,
    )
    return found, files


def test_mistakes_stand_with_the_most_confident_first_and_equals_by_row() -> None:
    probabilities = confidences([0.6, 0.9, 0.9, 0.99])
    rows, labels = np.array([7, 8, 3, 1]), np.array([1, 1, 1, 0])
    assert choose(rows, labels, probabilities)[0] == [2, 1, 0]


def test_uncertain_images_are_right_or_wrong_and_none_of_the_mistakes_shown() -> None:
    wrong = [0.9] * 12 + [0.51]
    probabilities = confidences([*wrong, 0.6, 0.55])
    mistakes, uncertain = choose(np.arange(15), np.array([1] * 13 + [0, 0]), probabilities)
    assert (mistakes, uncertain) == (list(range(12)), [12, 14, 13])


def test_twelve_of_each_at_most() -> None:
    mistakes, uncertain = choose(
        np.arange(60), np.array([1] * 30 + [0] * 30), confidences([0.7] * 60)
    )
    assert (mistakes, uncertain) == (list(range(12)), list(range(12, 24)))


def test_shown_image_says_what_the_model_made_of_it_and_names_its_files() -> None:
    found, files = pictured()
    first = found.mistakes[0]
    assert (first.origin, first.truth, first.predicted) == ("c/9.png", 1, 0)
    assert (first.confidence, first.truth_probability) == (0.95, 0.05)
    assert (found.n_mistakes, [s.origin for s in found.uncertain]) == (
        2,
        ["c/5.png", "c/6.png", "c/7.png", "c/4.png"],
    )
    assert first.picture.startswith("mistake-01.") and (first.saliency or "").startswith(
        "mistake-01-saliency."
    )
    named = {name for s in (*found.mistakes, *found.uncertain) for name in (s.picture, s.saliency)}
    assert named <= set(files)
    assert (found.layer, found.map_size, found.reason) == ("conv", (SIDE, SIDE), "")


def test_same_model_and_images_give_the_same_bytes() -> None:
    assert pictured() == pictured()


def test_network_without_maps_still_has_its_pictures_and_the_reason() -> None:
    flat = keras.Sequential(
        [
            keras.layers.Input((SIDE, SIDE, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    found, files = pictured(flat)
    assert (found.layer, found.map_size, found.reason) == (
        None,
        None,
        "The model has no convolution.",
    )
    assert {s.saliency for s in found.mistakes} == {None}
    assert len(files) == 6


def test_failure_of_the_maps_loses_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> np.ndarray:
        raise ValueError("a layer of a person's own")

    monkeypatch.setattr(explained_images, "saliency_maps", fail)
    found, _ = pictured()
    assert "ValueError" in found.reason and len(found.mistakes) == 2


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("happy/3.png", "happy/3.png"),
        ("row 17", "row 17"),
        ("/home/anna/faces/happy/3.png", "3.png"),
        ("C:\\Users\\anna\\3.png", "3.png"),
        ("~/faces/3.png", "3.png"),
        ("\\\\server\\anna\\3.png", "3.png"),
        ("a\u202eb\n<script>.png", r"a\u202eb\x0a<script>.png"),
    ],
)
def test_origin_is_shown_without_the_folders_above_the_data(origin: str, shown: str) -> None:
    assert shown_origin(origin) == shown


def test_large_images_are_shrunk_and_small_ones_left() -> None:
    assert thumbnail(np.zeros((300, 200, 3), dtype=np.uint8)).size == (64, 96)
    assert thumbnail(np.zeros((8, 10, 1), dtype=np.uint8)).size == (10, 8)


def test_smaller_of_png_and_jpeg_is_kept() -> None:
    noise = np.random.default_rng(0).integers(0, 256, size=(96, 96, 3), dtype=np.uint8)
    flat = np.zeros((96, 96, 3), dtype=np.uint8)
    pictures = PictureFiles()
    assert [pictures.add("noise", thumbnail(noise)), pictures.add("flat", thumbnail(flat))] == [
        "noise.jpg",
        "flat.png",
    ]
    assert {Image.open(io.BytesIO(file)).format for file in pictures.files.values()} == {
        "JPEG",
        "PNG",
    }


def test_picture_without_heat_is_the_image_in_dim_grey() -> None:
    image = np.full((6, 6, 3), 40, dtype=np.uint8)
    assert np.array_equal(np.asarray(heat(image, np.zeros((2, 2)))), np.full_like(image, 20))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_more_heat_is_lighter_on_any_picture(grey: int) -> None:
    image = np.full((1, 21, 1), grey, dtype=np.uint8)
    drawn = np.asarray(heat(image, np.linspace(0, 1, 21)[None])).astype(float)
    # Relative luminance (WCAG), with a plain gamma of 2.2; a step of the pixels' 256 is its
    # rounding.
    luminance = (drawn[0] / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > -0.004).all()
    assert luminance[-1] > luminance[0] + 0.25
