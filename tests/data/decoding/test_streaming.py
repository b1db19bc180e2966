"""Class folders over the cache's limit are decoded on demand, and are used as an array is."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.samples import make_card, random_images, write_folders
from tuner.data.cache.cache_folder import entries
from tuner.data.cards.card import Card
from tuner.data.dataset import pixel_statistics
from tuner.data.decoding.decode import decode
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.streaming import StreamedImages, batches
from tuner.data.images import Images
from tuner.data.load import load_images
from tuner.errors import DataError

CARD = make_card({"type": "class_folders", "path": "photos"}, channels=3, splits={"group": "/(.)"})
PIXELS = np.concatenate([random_images(3, 4, 3), random_images(3, 4, 3, 1)])


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "100B")
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    return CARD


def load_streamed(card: Card, root: Path) -> tuple[Images, StreamedImages]:
    loaded = load_images(card, root)
    assert isinstance(loaded.images, StreamedImages)
    return loaded, loaded.images


@pytest.mark.parametrize(
    "index",
    [0, 5, slice(1, 4), np.array([5, 0, 0]), np.array([], dtype=int), np.array([[1, 2], [3, 4]])],
    ids=repr,
)
def test_is_indexed_as_an_array_is(tmp_path: Path, card: Card, index: object) -> None:
    images = load_streamed(card, tmp_path)[1]
    found = images[index]
    np.testing.assert_array_equal(found, PIXELS[index])  # type: ignore[call-overload]
    assert found.dtype == images.dtype == np.uint8
    assert (images.shape, len(images)) == (PIXELS.shape, 6)


def test_says_the_same_as_the_cache_but_for_the_fingerprint(
    tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamed, _ = load_streamed(card, tmp_path)
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "1GB")
    whole = load_images(card.model_copy(update={"name": "whole"}), tmp_path)
    for name in ("labels", "parts", "groups", "copy_of"):
        np.testing.assert_array_equal(getattr(streamed, name), getattr(whole, name))
    assert (streamed.origins, streamed.class_names, streamed.files) == (
        whole.origins,
        whole.class_names,
        whole.files,
    )
    assert streamed.fingerprint != whole.fingerprint
    assert streamed.groups.tolist() == ["0", "1", "2"] * 2


def test_second_load_opens_no_file(
    tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = load_streamed(card, tmp_path)
    monkeypatch.setattr("tuner.data.decoding.one_scale.decode_or_measure", None)
    second, images = load_streamed(card, tmp_path)
    assert second.fingerprint == first.fingerprint
    assert second.files == first.files
    np.testing.assert_array_equal(images[2:4], PIXELS[2:4])
    assert not (entries(tmp_path)[0].path / "images.npy").exists()


@pytest.mark.parametrize("damage", [b"", b"short"])
def test_damaged_sums_are_made_again(tmp_path: Path, card: Card, damage: bytes) -> None:
    first, _ = load_streamed(card, tmp_path)
    (entries(tmp_path)[0].path / "sums.npy").write_bytes(damage)
    second, _ = load_streamed(card, tmp_path)
    assert first.sums is not None
    assert second.sums is not None
    np.testing.assert_array_equal(first.sums, second.sums)


def test_what_was_decided_stays_until_the_data_change(
    tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_streamed(card, tmp_path)
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "1GB")
    load_streamed(card, tmp_path)
    Image.fromarray(random_images(1, 4, 3)[0]).save(tmp_path / "photos/cat/new.png")
    assert isinstance(load_images(card, tmp_path).images, np.memmap)


def test_files_with_equal_pixels_are_copies(tmp_path: Path, card: Card) -> None:
    Image.fromarray(PIXELS[1]).save(tmp_path / "photos/dog/2.png", compress_level=0)
    loaded, _ = load_streamed(card, tmp_path)
    assert loaded.copy_of.tolist() == [0, 1, 2, 3, 4, 1]
    assert loaded.near_group.tolist() == list(range(6))


def test_fingerprint_is_of_the_pixels(tmp_path: Path, card: Card) -> None:
    path = tmp_path / "photos/cat/0.png"
    before, content = load_streamed(card, tmp_path)[0].fingerprint, path.read_bytes()
    Image.fromarray(PIXELS[0]).save(path, compress_level=0)
    assert path.read_bytes() != content
    assert load_streamed(card, tmp_path)[0].fingerprint == before
    Image.fromarray(255 - PIXELS[0]).save(path)
    assert load_streamed(card, tmp_path)[0].fingerprint != before


def test_statistics_are_those_of_the_pixels_and_need_no_file(tmp_path: Path, card: Card) -> None:
    (tmp_path / "photos/cat/x.png").write_text("no image")
    for _ in range(2):  # decoded, then from the cache
        loaded, images = load_streamed(card, tmp_path)
        rows = np.array([0, 2, 5])
        assert loaded.sums is not None
        gone = StreamedImages(["gone.png"] * len(images), card.image)
        assert pixel_statistics(gone, rows, loaded.sums) == pixel_statistics(PIXELS, rows)


def test_warnings_of_odd_photos_are_hidden_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "odd.tiff"
    Image.fromarray(PIXELS[0]).save(path)
    content = bytearray(path.read_bytes())
    content[8] = 255  # more tags than it holds
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="Corrupt EXIF data"):
        decode(path, CARD.image)
    images, before = StreamedImages([str(path)] * 3, CARD.image), list(warnings.filters)
    np.testing.assert_array_equal(images[1], PIXELS[0])
    for batch in batches(images, np.arange(3), 1):
        np.testing.assert_array_equal(batch[0], PIXELS[0])
        with pytest.raises(UserWarning, match="of the training"):
            warnings.warn("of the training", stacklevel=1)
    assert list(warnings.filters) == before


def test_broken_files_are_skipped_and_named(tmp_path: Path, card: Card) -> None:
    (tmp_path / "photos/cat/0.png").write_text("no image")
    path = tmp_path / "photos/cat/1.png"
    path.write_bytes(path.read_bytes()[:-30])
    loaded, images = load_streamed(card, tmp_path)
    assert loaded.unreadable == ("cat/0.png: not an image", "cat/1.png: damaged image")
    np.testing.assert_array_equal(images[0], PIXELS[2])


def test_file_that_breaks_later_is_named(tmp_path: Path, card: Card) -> None:
    images = load_streamed(card, tmp_path)[1]
    path = tmp_path / "photos/cat/1.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError) as caught:
        images[:3]
    assert caught.value.message == f"{str(path)!r}: it can no longer be decoded: damaged image"
    assert caught.value.hint == "put the file back or delete it, and start a new run."


def test_can_be_sent_to_other_processes(tmp_path: Path, card: Card) -> None:
    images = load_streamed(card, tmp_path)[1]
    images[0]
    sent = pickle.loads(pickle.dumps(images))
    np.testing.assert_array_equal(sent[:], PIXELS)


@pytest.mark.parametrize("batch_size", [1, 2, 4, 10])
@pytest.mark.parametrize("n", [0, 1, 6])
def test_batches_are_those_of_an_array(tmp_path: Path, card: Card, batch_size: int, n: int) -> None:
    order = np.random.default_rng(0).permutation(6)[:n]
    expected = list(batches(PIXELS, order, batch_size))
    found = list(batches(load_streamed(card, tmp_path)[1], order, batch_size))
    assert [len(batch) for batch in found] == [len(batch) for batch in expected]
    assert len(found) == -(-n // batch_size)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_next_batch_is_decoded_while_one_is_used(tmp_path: Path, card: Card) -> None:
    streamed = load_streamed(card, tmp_path)[1]
    asked: list[int] = []

    class Watched(StreamedImages):
        def pick(self, rows: np.ndarray) -> np.ndarray:
            found = super().pick(rows)
            asked.append(len(found))
            return found

    taken = batches(Watched(streamed.paths, card.image), np.arange(6), 2)
    next(taken)
    # The third is not begun before the second is asked for.
    taken.close()
    assert asked == [2, 2]


def test_batch_that_cannot_be_decoded_raises_where_it_is_used(tmp_path: Path) -> None:
    gone = StreamedImages(
        [str(tmp_path / "gone.png")], ImageSettings(height=4, width=4, channels=3)
    )
    with pytest.raises(
        DataError, match=r"gone\.png': it can no longer be decoded: No such file or directory\n"
    ):
        list(batches(gone, np.array([0]), 1))
