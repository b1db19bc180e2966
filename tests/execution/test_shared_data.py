"""Training data in files: equal when opened, written only where no file holds them already."""

from __future__ import annotations

import errno
import pickle
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.images import training_data
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.streaming import StreamedImages
from tuner.execution.shared_data import open_shared, share

DATA = training_data()


@pytest.fixture
def mapped(tmp_path: Path) -> np.memmap:
    """The images of `DATA`, mapped from a file."""
    np.save(tmp_path / "images.npy", DATA.inputs)
    return np.load(tmp_path / "images.npy", mmap_mode="r")


def assert_opens_as(inputs: np.ndarray, folder: Path) -> None:
    opened = open_shared(share(replace(DATA, inputs=inputs), folder))
    np.testing.assert_array_equal(opened.inputs, inputs)
    assert opened.inputs.dtype == inputs.dtype


def test_data_are_equal_when_opened_and_mapped_from_their_files(tmp_path: Path) -> None:
    opened = open_shared(share(DATA, tmp_path / "shared"))
    assert opened.spec == DATA.spec
    pairs = [(opened.inputs, DATA.inputs), (opened.labels, DATA.labels)]
    for found, expected in zip(opened.folds, DATA.folds, strict=True):
        pairs += [(found.train, expected.train), (found.validation, expected.validation)]
    for found, expected in pairs:
        np.testing.assert_array_equal(found, expected)
        assert isinstance(found, np.memmap)


def test_empty_validation_part_is_shared_too(tmp_path: Path) -> None:
    fold = replace(DATA.folds[0], validation=np.arange(0))
    shared = share(replace(DATA, folds=(fold,)), tmp_path / "shared")
    assert len(open_shared(shared).folds[0].validation) == 0


def test_streamed_images_are_shared_by_their_paths(tmp_path: Path) -> None:
    paths = [f"{number}-\udcff.png" for number in range(2000)]
    streamed = StreamedImages(paths, ImageSettings(height=8, width=8, channels=1))
    shared = share(replace(DATA, inputs=streamed), tmp_path / "shared")
    sent = pickle.dumps(shared)
    assert len(sent) < 2000  # It goes with every task.
    assert pickle.loads(sent) == shared
    opened = open_shared(pickle.loads(sent))
    assert isinstance(opened.inputs, StreamedImages)
    assert opened.inputs.paths == tuple(paths)
    assert opened.inputs.settings == streamed.settings
    assert not (tmp_path / "shared" / "inputs.npy").exists()


def test_images_that_are_a_mapped_file_are_not_written_again(
    tmp_path: Path, mapped: np.memmap
) -> None:
    shared = share(replace(DATA, inputs=mapped), tmp_path / "shared")
    assert shared.inputs.samefile(tmp_path / "images.npy")
    assert_opens_as(mapped, tmp_path / "again")


def test_images_whose_file_is_deleted_can_still_be_opened(
    tmp_path: Path, mapped: np.memmap
) -> None:
    shared = share(replace(DATA, inputs=mapped), tmp_path / "shared")
    (tmp_path / "images.npy").unlink()
    np.testing.assert_array_equal(open_shared(shared).inputs, DATA.inputs)
    # Deleted even before.
    assert_opens_as(mapped, tmp_path / "again")


def test_images_on_a_disk_without_links_stay_where_they_are(
    tmp_path: Path, mapped: np.memmap, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    shared = share(replace(DATA, inputs=mapped), tmp_path / "shared")
    assert shared.inputs == tmp_path / "images.npy"
    np.testing.assert_array_equal(open_shared(shared).inputs, DATA.inputs)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[8:],
        lambda a: a[::-1],
        lambda a: a[..., :1, :],
        lambda a: a.view("int8"),
        lambda a: a.swapaxes(1, 2),
    ],
    ids=["rows", "backwards", "columns", "another type", "turned"],
)
def test_part_of_a_mapped_file_is_written(
    tmp_path: Path, mapped: np.memmap, view: Callable[[np.ndarray], np.ndarray]
) -> None:
    shared = share(replace(DATA, inputs=view(mapped)), tmp_path / "shared")
    assert shared.inputs == tmp_path / "shared" / "inputs.npy"
    assert_opens_as(view(mapped), tmp_path / "again")


def test_mapped_file_that_holds_no_npy_is_written(tmp_path: Path) -> None:
    DATA.inputs.tofile(tmp_path / "raw")
    raw = np.memmap(tmp_path / "raw", dtype="uint8", mode="r", shape=DATA.inputs.shape)
    assert_opens_as(raw, tmp_path / "shared")


def test_changes_that_a_mapped_file_does_not_hold_are_written(
    tmp_path: Path, mapped: np.memmap
) -> None:
    changed = np.load(tmp_path / "images.npy", mmap_mode="c")
    changed[:] = 7
    assert_opens_as(changed, tmp_path / "shared")


def test_disk_without_room_is_known_by_its_errno(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            share(DATA, tmp_path / "shared")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG
    assert list((tmp_path / "shared").iterdir()) == []


def test_features_keep_their_type(tmp_path: Path) -> None:
    assert_opens_as(
        np.random.default_rng(0).normal(size=(64, 3)).astype("float32"), tmp_path / "shared"
    )
