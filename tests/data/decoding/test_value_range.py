"""Values of more than 8 bits are brought to 8 by one range for the whole data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.samples import make_card
from tuner.data.cards.card import Card
from tuner.data.decoding.decode import UnreadableImageError, decode
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.value_range import ValueRange, extremes, range_of, range_words, to_8_bits
from tuner.data.images import Images
from tuner.data.load import load_images

GREY = ImageSettings(height=4, width=4, channels=1)


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        (0, 200, (0, 255)),
        (0, 256, (0, 1023)),
        (12, 1023, (0, 1023)),
        (0, 4095, (0, 4095)),
        (0, 4096, (0, 16383)),
        (0, 16384, (0, 65535)),
        (0, 65535, (0, 65535)),
        (0, 100_000, (0, 100_000)),
        (-1024, 3071, (-1024, 3071)),
        (0, 0, (0, 255)),
        (-5, -5, (-5, -4)),
    ],
)
def test_whole_numbers_have_the_range_of_their_bits(
    lowest: float, highest: float, expected: ValueRange
) -> None:
    assert range_of(lowest, highest, is_float=False) == expected


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        (0.0, 1.0, (0, 1)),
        (0.2, 0.3, (0, 1)),
        (-0.02, 1.03, (0, 1)),
        (-1.0, 1.0, (-1, 1)),
        (0.0, 255.0, (0, 255)),
        (0.0, 140.5, (0, 255)),
        (-3.0, 260.0, (0, 255)),
        (0.0, 4095.0, (0, 4095)),
        (0.0, 65535.0, (0, 65535)),
        (15.5, 31.25, (15.5, 31.25)),
        (-40.0, 120.0, (-40, 120)),
        (0.0, 1e6, (0, 1e6)),
    ],
)
def test_floats_have_one_of_the_usual_ranges_or_their_own(
    lowest: float, highest: float, expected: ValueRange
) -> None:
    assert range_of(lowest, highest, is_float=True) == expected


def test_values_beyond_the_range_are_cut_off_and_nan_is_black() -> None:
    values = np.array([-9, 0, 2047.5, 4095, 9999, np.nan, np.inf, -np.inf], dtype=np.float32)
    assert to_8_bits(values, (0, 4095)).tolist() == [0, 0, 128, 255, 255, 0, 255, 0]


def test_extremes_pass_over_what_is_not_finite() -> None:
    assert extremes(np.array([np.nan, 2, -1, np.inf], dtype=np.float32)) == (-1, 2)
    assert extremes(np.array([np.nan], dtype=np.float32)) == (0, 0)


def test_range_in_words() -> None:
    assert (range_words((0, 4095)), range_words((-0.5, 1))) == ("0 to 4,095", "-0.5 to 1")


def write(root: Path, name: str, value: Any, kind: Any = np.uint16) -> None:
    """A plain image in the folder of its class."""
    path = root / "photos" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4), value, dtype=kind)).save(path)


def card_of(**image: Any) -> Card:
    card = make_card({"type": "class_folders", "path": "photos"})
    return card.model_copy(update={"image": card.image.model_copy(update=image)})


def levels(images: Images) -> dict[str, int]:
    """The grey value of each plain image."""
    return {origin: int(images.images[i][0, 0, 0]) for i, origin in enumerate(images.origins)}


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Scans of 12 bits, one of 8 bits among them."""
    for name, value in {
        "cat/a.tif": 4095,
        "cat/b.tif": 3000,
        "dog/a.tif": 200,
        "dog/b.png": 0,
    }.items():
        write(tmp_path, name, value)
    write(tmp_path, "dog/c.png", 100, np.uint8)
    return tmp_path


LEVELS = {"cat/a.tif": 255, "cat/b.tif": 187, "dog/a.tif": 12, "dog/b.png": 0, "dog/c.png": 100}


def test_16_bit_images_are_scaled_as_one_set_and_those_of_8_bits_are_left(scans: Path) -> None:
    loaded = load_images(card_of(), scans)
    assert (loaded.value_range, levels(loaded)) == ((0, 4095), LEVELS)
    again = load_images(card_of(), scans)
    assert (again.value_range, levels(again)) == ((0, 4095), LEVELS)
    assert isinstance(again.images, np.memmap)


def test_streamed_images_have_the_same_range(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = card_of()
    streamed = card.files.stream(card, scans)
    assert (streamed.value_range, levels(streamed)) == ((0, 4095), LEVELS)
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "1")
    load_images(card_of(), scans)
    monkeypatch.setattr("tuner.data.decoding.one_scale.decode_or_measure", None)
    kept = load_images(card_of(), scans)
    assert (kept.value_range, levels(kept)) == ((0, 4095), LEVELS)


def test_card_states_the_range_and_the_cache_knows_it(scans: Path) -> None:
    load_images(card_of(), scans)
    stated = load_images(card_of(value_range=[0.0, 65535.0]), scans)
    assert stated.value_range == (0, 65535)
    assert levels(stated) == {
        "cat/a.tif": 16,
        "cat/b.tif": 12,
        "dog/a.tif": 1,
        "dog/b.png": 0,
        "dog/c.png": 100,
    }


def test_floats_of_0_to_1_are_not_taken_for_black(tmp_path: Path) -> None:
    for name, value in {
        "cat/a.tif": 1.0,
        "cat/b.tif": 0.5,
        "dog/a.tif": 0.0,
        "dog/b.tif": 0.25,
    }.items():
        write(tmp_path, name, value, np.float32)
    loaded = load_images(card_of(), tmp_path)
    assert loaded.value_range == (0, 1)
    assert list(levels(loaded).values()) == [255, 128, 0, 64]


def test_files_of_8_bits_are_read_once_and_have_no_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cat/a.png", "cat/b.png", "dog/a.png"):
        write(tmp_path, name, 7, np.uint8)
    opened: list[str] = []
    open_image = Image.open

    def counted(path: Path, **options: Any) -> Any:
        opened.append(path.name)
        return open_image(path, **options)

    monkeypatch.setattr(Image, "open", counted)
    assert load_images(card_of(), tmp_path).value_range is None
    assert sorted(opened) == ["a.png", "a.png", "b.png"]


def test_image_alone_has_the_full_range_of_16_bits_and_floats_alone_are_refused(
    tmp_path: Path,
) -> None:
    for value, level in ((3000, 12), (200, 1), (65535, 255)):
        write(tmp_path, "a.png", value)
        assert decode(tmp_path / "photos" / "a.png", GREY)[0, 0, 0] == level
    write(tmp_path, "a.tif", 0.5, np.float32)
    with pytest.raises(
        UnreadableImageError,
        match=r"^values of 32 bits without a stated range from black",
    ):
        decode(tmp_path / "photos" / "a.tif", GREY)


def test_transparent_16_bit_value_shows_the_background(tmp_path: Path) -> None:
    pixels = np.full((4, 4), 1000, dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / "a.png", transparency=1000)
    settings = GREY.model_copy(update={"background": [77, 77, 77], "value_range": [0.0, 4095.0]})
    assert decode(tmp_path / "a.png", settings)[0, 0, 0] == 77


@pytest.mark.parametrize("ends", [[1.0, 1.0], [2.0, 1.0], [0.0, float("inf")]])
def test_range_that_is_none_is_refused(ends: list[float]) -> None:
    with pytest.raises(ValueError, match="which is not a range"):
        ImageSettings(height=4, width=4, channels=1, value_range=ends)
