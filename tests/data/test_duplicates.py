"""Identical and near-identical images are found, and others are not."""

from __future__ import annotations

from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from tests.data.samples import random_images
from tuner.data import duplicates
from tuner.data.duplicates import copies, near_groups
from tuner.data.formats.drawn_faces import draw_faces


def photos(n: int, size: int = 48) -> list[Image.Image]:
    """Smooth colour patterns, each unlike the others."""
    grids = random_images(n, size=6, channels=3, seed=3)
    return [Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC) for grid in grids]


def stack(pictures: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(picture) for picture in pictures])


def test_copies_name_the_first_identical_image() -> None:
    images = random_images(6)
    images[4], images[5] = images[1], images[1]
    assert copies(images).tolist() == [0, 1, 2, 3, 1, 1]


def test_copies_of_a_memory_map_are_the_same(tmp_path: Path) -> None:
    images = random_images(50, channels=3)
    images[30:] = images[:20]
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert copies(mapped).tolist() == [*range(30), *range(20)]
    assert copies(mapped).dtype == near_groups(mapped).dtype == np.int64


def test_one_pixel_makes_another_image() -> None:
    images = np.repeat(random_images(1), 2, axis=0)
    images[1, 0, 0, 0] ^= 1
    assert copies(images).tolist() == [0, 1]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda p: p.resize((20, 20)).resize(p.size), id="another size"),
        pytest.param(lambda p: p.point([value * 3 // 4 for value in range(256)] * 3), id="darker"),
        pytest.param(
            lambda p: Image.composite(p, Image.new("RGB", p.size), Image.new("L", p.size, 250)),
            id="faded",
        ),
    ],
)
def test_changed_copies_are_near(change: object) -> None:
    originals = photos(20)
    images = stack([*originals, *(change(picture) for picture in originals)])
    assert near_groups(images).tolist() == [*range(20), *range(20)]


def test_other_pictures_are_not_near() -> None:
    faces, _ = draw_faces(100, 0, 48)
    assert near_groups(faces).tolist() == list(range(100))
    assert near_groups(stack(photos(200))).tolist() == list(range(200))


def test_mirrored_and_inverted_pictures_are_not_near() -> None:
    picture = photos(1)[0]
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    inverted = picture.point([255 - value for value in range(256)] * 3)
    assert near_groups(stack([picture, mirrored, inverted])).tolist() == [0, 1, 2]


def test_sets_are_chained_and_numbered_by_their_first_image() -> None:
    one, other = photos(2)
    ends = [one, Image.blend(one, other, 0.3)]
    between = [Image.blend(one, other, alpha) for alpha in (0.1, 0.2)]
    assert near_groups(stack([other, *ends, other])).tolist() == [0, 1, 2, 0]
    assert near_groups(stack([other, *ends, *between, other])).tolist() == [0, 1, 1, 1, 1, 0]


def test_images_of_one_colour_are_near_to_none_but_their_copies() -> None:
    greys = np.repeat(np.array([10, 20, 20, 255], dtype=np.uint8), 32 * 32).reshape(4, 32, 32, 1)
    assert near_groups(greys).tolist() == [0, 1, 1, 2]


def test_images_under_16_pixels_are_compared_pixel_by_pixel() -> None:
    images = np.stack([np.full((8, 40, 1), 100, dtype=np.uint8)] * 3)
    images[1, 0, 0] = 101
    assert near_groups(images).tolist() == [0, 1, 0]


@pytest.mark.parametrize("channels", [1, 3])
def test_hash_is_that_of_the_library(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_IMAGES_PER_CHUNK", 7)
    images = random_images(20, size=40, channels=channels)
    pictures = [Image.fromarray(image.squeeze()) for image in images]
    known = [str(imagehash.phash(picture)) for picture in pictures]
    hashes = duplicates._describe(images)[1]
    # The bits stand in four bands of every fourth one.
    bits = (
        np.unpackbits(hashes.astype("<u8").view(np.uint8).reshape(-1, 4, 2), axis=2)
        .swapaxes(1, 2)
        .reshape(-1, 64)
    )
    assert [str(imagehash.ImageHash(row.reshape(8, 8).astype(bool))) for row in bits] == known


def test_candidates_are_all_pairs_within_the_distance() -> None:
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 2**63, size=40, dtype=np.uint64)
    flips = np.array(
        [sum(1 << int(b) for b in rng.choice(64, k, replace=False)) for k in range(9)],
        dtype=np.uint64,
    )
    hashes = (centres[:, None] ^ flips).ravel()
    found = {
        tuple(sorted(pair)) for pairs in duplicates._candidates(hashes) for pair in pairs.T.tolist()
    }
    distance = np.bitwise_count(hashes[:, None] ^ hashes)
    assert found == {(i, j) for i, j in np.argwhere(distance <= 6).tolist() if i < j}


def test_thousands_of_alike_images_cost_no_square() -> None:
    pairs = sum(found.shape[1] for found in duplicates._candidates(np.zeros(3000, dtype=np.uint64)))
    assert pairs <= 4 * 3000 * duplicates._MAX_PARTNERS
