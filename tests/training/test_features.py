"""Features in files that fill row by row, whoever else fills them, and whoever is killed over it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tuner.training import features
from tuner.training.features import BATCH, FeatureFile, Features


def rows_as_features(rows: np.ndarray) -> np.ndarray:
    """Three features that a test can check."""
    return np.stack([rows, 2 * rows, rows + 1], axis=1).astype("float32")


def refuse(rows: np.ndarray) -> np.ndarray:
    return pytest.fail(f"{rows} are computed again")


def nothing() -> None:
    return


def after(n: int) -> Callable[[], None]:
    """Lets `n` batches begin, then stops."""
    left = iter(range(n))

    def before_batch() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return before_batch


def test_wanted_rows_are_filled_and_others_stay_empty(tmp_path: Path) -> None:
    file = FeatureFile(tmp_path / "f.npy", 300, 3)
    wanted = np.arange(0, 300, 2)
    file.fill(wanted, rows_as_features, nothing)
    np.testing.assert_array_equal(file.array()[wanted], rows_as_features(wanted))
    assert not file.array()[1::2].any()


def test_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    FeatureFile(tmp_path / "f.npy", 200, 3).fill(np.arange(100), rows_as_features, nothing)
    asked: list[int] = []

    def counted(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return rows_as_features(rows)

    again = FeatureFile(tmp_path / "f.npy", 200, 3)
    again.fill(np.arange(100), refuse, nothing)
    again.fill(np.arange(90, 120), counted, nothing)
    assert sorted(asked) == list(range(100, 120))


def test_work_that_is_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    wanted = np.arange(5 * BATCH)
    with pytest.raises(KeyboardInterrupt):
        FeatureFile(tmp_path / "f.npy", len(wanted), 3).fill(wanted, rows_as_features, after(2))
    n_batches: list[int] = []

    def counted(rows: np.ndarray) -> np.ndarray:
        n_batches.append(len(rows))
        return rows_as_features(rows)

    file = FeatureFile(tmp_path / "f.npy", len(wanted), 3)
    file.fill(wanted, counted, nothing)
    assert n_batches == [BATCH] * 3
    np.testing.assert_array_equal(file.array(), rows_as_features(wanted))


def test_row_without_its_mark_counts_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(number: int) -> None:
        raise OSError(28, "No space left on device")

    file = FeatureFile(tmp_path / "f.npy", 10, 3)
    monkeypatch.setattr(features.os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        file.fill(np.arange(10), rows_as_features, nothing)
    monkeypatch.undo()
    computed: list[int] = []

    def counted(rows: np.ndarray) -> np.ndarray:
        computed.extend(rows.tolist())
        return rows_as_features(rows)

    FeatureFile(tmp_path / "f.npy", 10, 3).fill(np.arange(10), counted, nothing)
    assert computed == list(range(10))


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY\x01\x00 torn", b"PK\x03\x04"])
def test_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    FeatureFile(tmp_path / "f.npy", 10, 3).fill(np.arange(10), rows_as_features, nothing)
    (tmp_path / "f.npy").write_bytes(damage)
    file = FeatureFile(tmp_path / "f.npy", 10, 3)
    file.fill(np.arange(10), rows_as_features, nothing)
    np.testing.assert_array_equal(file.array(), rows_as_features(np.arange(10)))


def test_file_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "f.npy"
    FeatureFile(path, 10, 3).fill(np.arange(10), rows_as_features, nothing)
    path.write_bytes(path.read_bytes()[:-20])
    file = FeatureFile(path, 10, 3)
    file.fill(np.arange(10), rows_as_features, nothing)
    np.testing.assert_array_equal(file.array(), rows_as_features(np.arange(10)))


def test_file_of_another_size_is_not_used(tmp_path: Path) -> None:
    FeatureFile(tmp_path / "f.npy", 10, 3).fill(np.arange(10), rows_as_features, nothing)
    file = FeatureFile(tmp_path / "f.npy", 12, 3)
    assert file.array().shape == (12, 3)
    assert not file.array().any()


def _fill(path: Path) -> None:
    FeatureFile(path, 40 * BATCH, 3).fill(np.arange(40 * BATCH), rows_as_features, nothing)


def test_processes_fill_one_file_together(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_fill, args=(tmp_path / "f.npy",)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    file = FeatureFile(tmp_path / "f.npy", 40 * BATCH, 3)
    file.fill(np.arange(40 * BATCH), refuse, nothing)
    np.testing.assert_array_equal(file.array(), rows_as_features(np.arange(40 * BATCH)))


def test_features_are_indexed_like_an_array() -> None:
    view = np.arange(12, dtype="float32").reshape(4, 3)
    found = Features(views=(view,))
    assert (found.shape, len(found)) == ((4, 3), 4)
    np.testing.assert_array_equal(found[np.array([2, 0])], view[[2, 0]])
    np.testing.assert_array_equal(found[:1], view[:1])


def test_mixed_views_are_drawn_for_each_image_and_fixed_for_an_epoch() -> None:
    as_is, mirrored = np.zeros((400, 2), "float32"), np.ones((400, 2), "float32")
    found = Features(views=(as_is, mirrored)).mixed(np.random.default_rng(0))
    rows = np.random.default_rng(1).permutation(400)
    drawn = found[rows][:, 0]
    assert 150 < drawn.sum() < 250
    np.testing.assert_array_equal(drawn, found[rows][:, 1])
    np.testing.assert_array_equal(drawn, found[np.arange(400)][rows, 0])
    assert not Features(views=(as_is, mirrored))[rows].any(), "as they are, where nothing is drawn"


def test_single_view_is_never_mixed() -> None:
    found = Features(views=(np.ones((5, 2), "float32"),))
    assert found.mixed(np.random.default_rng(0)) is found
