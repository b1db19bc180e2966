"""Arrays are mapped from a copy of which nothing is left."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.samples import make_card, random_images
from tuner.data.arrays import array_file
from tuner.data.arrays.array_file import map_array, open_arrays
from tuner.data.load import load_images
from tuner.errors import DataError

X = random_images(10)


def mapped(path: Path, room: Path) -> np.ndarray[Any, Any]:
    return map_array(path, "x", open_arrays(path)["x"], room)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("arrange", [np.ascontiguousarray, np.asfortranarray])
@pytest.mark.parametrize("copied_bytes", [1, 100, 10**6])
def test_array_is_mapped_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Any, arrange: Any, copied_bytes: int
) -> None:
    monkeypatch.setattr(array_file, "_COPIED_BYTES", copied_bytes)
    save(tmp_path / "a.npz", x=arrange(X))
    values = mapped(tmp_path / "a.npz", tmp_path)
    assert isinstance(values, np.memmap)
    np.testing.assert_array_equal(values, X)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_values_stay_when_the_file_is_cut_off(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    values = mapped(tmp_path, tmp_path)
    (tmp_path / "x.npy").write_bytes(b"")
    np.testing.assert_array_equal(values, X)


def test_without_a_cache_the_copy_is_elsewhere(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X)
    np.testing.assert_array_equal(mapped(tmp_path / "a.npz", tmp_path / "none"), X)


@pytest.mark.parametrize("shape", [(), (0,), (0, 4, 4), (3, 0)])
def test_scalars_and_empty_arrays_are_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(shape))
    assert mapped(tmp_path / "a.npz", tmp_path).shape == shape


def test_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "a.npz", x=X)
    make = tempfile.TemporaryFile

    def full(**where: Any) -> Any:
        file = make(**where)

        class Full:
            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def fileno(self) -> int:
                return int(file.fileno())

            def write(self, part: bytes) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

        return Full()

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(DataError) as caught:
        mapped(tmp_path / "a.npz", tmp_path)
    assert caught.value.message == (
        "a.npz, x: a copy of its 0.0 GB is mapped into memory, and cannot be written: No space left"
        " on device"
    )
    assert caught.value.hint.startswith(f"free space on the disk of {tmp_path}, or of the folder")


def test_room_is_reserved_before_anything_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    np.savez(tmp_path / "a.npz", x=X)
    monkeypatch.setattr("os.posix_fallocate", refuse, raising=False)
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        mapped(tmp_path / "a.npz", tmp_path)


def test_nothing_is_unpacked_where_the_cache_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=np.arange(10) % 2)
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "1B")
    monkeypatch.setattr("tuner.data.cache.cached_images._MAX_IN_MEMORY", 1)
    monkeypatch.setattr(array_file, "map_array", None)
    with pytest.raises(DataError, match=r"but the cache may take 0\.0 GB"):
        load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)


@pytest.mark.parametrize("refused", ["map", "reserve"])
def test_folder_that_can_neither_map_nor_reserve_serves_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    np.savez(tmp_path / "a.npz", x=np.asfortranarray(X))
    if refused == "map":
        monkeypatch.setattr(array_file.np, "memmap", refuse)
    else:
        monkeypatch.setattr(array_file.os, "posix_fallocate", refuse, raising=False)
    np.testing.assert_array_equal(mapped(tmp_path / "a.npz", tmp_path), X)


@pytest.mark.parametrize(
    "labels",
    [np.zeros((0, 2**20), "u1"), np.zeros(10, "<U0"), np.zeros((5, 2), "u1")],
    ids=["no rows", "texts of no letter", "half the rows"],
)
def test_labels_that_fit_no_images_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    np.savez(tmp_path / "tiny.npz", x=X, y=labels)
    with pytest.raises(DataError):
        load_images(make_card({"type": "npz", "path": "tiny.npz"}, size=8), tmp_path)
