"""The size in which own photos are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.samples import random_images
from tuner.data.cards.card import Card
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.load import load_images
from tuner.data.own.image_size import in_size
from tuner.data.own.resolve import resolve
from tuner.errors import ConfigurationError


def photos(folder: Path, width: int = 300, height: int = 200) -> Card:
    """The card of a folder of noise in two classes."""
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / "photos" / name).mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (height, width, 3)).astype("uint8")
        Image.fromarray(pixels).save(folder / "photos" / name / "a.png")
    return resolve(str(folder / "photos"), [], folder)


def test_photos_are_shrunk_to_the_largest_side(tmp_path: Path) -> None:
    card = photos(tmp_path)
    assert in_size(card).image.shape == (96, 96, 3)
    assert in_size(card, largest_side=224).image.shape == (224, 224, 3)
    assert load_images(in_size(card, largest_side=224), tmp_path).images.shape == (2, 224, 224, 3)


def test_photos_are_never_enlarged_unless_asked_for(tmp_path: Path) -> None:
    card = photos(tmp_path, width=60, height=40)
    assert in_size(card, largest_side=260).image.shape == (50, 50, 3)
    assert in_size(card, (128, 160)).image.shape == (128, 160, 3)


def test_size_is_part_of_what_the_images_are(tmp_path: Path) -> None:
    card = photos(tmp_path)
    found = [load_images(in_size(card, size), tmp_path) for size in ((32, 32), (32, 48), (32, 32))]
    assert [images.images.shape[1:3] for images in found] == [(32, 32), (32, 48), (32, 32)]
    assert found[0].fingerprint != found[1].fingerprint
    assert found[0].fingerprint == found[2].fingerprint


def test_list_of_files_is_read_in_the_size_too(tmp_path: Path) -> None:
    photos(tmp_path)
    (tmp_path / "list.csv").write_text("file,label\nphotos/cat/a.png,cat\nphotos/dog/a.png,dog\n")
    card = resolve(str(tmp_path / "list.csv"), [], tmp_path)
    assert in_size(card, largest_side=224).image.shape == (224, 224, 3)
    assert in_size(card, (64, 64)).image.shape == (64, 64, 3)


def test_arrays_keep_their_size(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(4, size=120), y=[0, 1, 0, 1])
    card = resolve(str(tmp_path / "a.npz"), [], tmp_path)
    assert in_size(card) == card
    with pytest.raises(ConfigurationError) as caught:
        in_size(card, (96, 96))
    assert str(caught.value) == (
        "--image-size is for photos without a card, but a has the size 120 x 120 from its"
        " arrays or rows\n  Fix: leave the option out; of your own data, only image files can"
        " be decoded in another size."
    )


def test_card_states_its_size_itself() -> None:
    card = load_card("cats_dogs", card_folders())
    assert in_size(card, largest_side=224) == card
    with pytest.raises(ConfigurationError) as caught:
        in_size(card, (224, 224))
    assert (
        str(caught.value) == "--image-size is for photos without a card, but cats_dogs has the"
        " size 100 x 100 from its card\n  Fix: leave the option out, or change image.height and"
        " image.width in datasets/cats_dogs.yaml."
    )
