"""Features in files that fill row by row, whoever else fills them or is killed meanwhile."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tuner.training.transfer import features
from tuner.training.transfer.features import BATCH, Features, kept_features


def rows_as_features(rows: np.ndarray) -> np.ndarray:
    """Three features that a test can check."""
    return np.stack([rows, 2 * rows, rows + 1], axis=1).astype("float32")


def refuse(rows: np.ndarray) -> np.ndarray:
    return pytest.fail(f"{rows} are computed again")


def nothing() -> None:
    return


def kept(
    path: Path,
    rows: np.ndarray,
    n_images: int,
    extract: Callable[[np.ndarray], np.ndarray] = rows_as_features,
    before_batch: Callable[[], None] = nothing,
) -> np.ndarray:
    return kept_features(path / "f.npy", (n_images, 3), rows, extract, before_batch)


def after(n: int) -> Callable[[], None]:
    """Lets `n` batches begin, then stops."""
    left = iter(range(n))

    def before_batch() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return before_batch


def counted_in(rows_seen: list[int]) -> Callable[[np.ndarray], np.ndarray]:
    """Notes which rows are computed."""

    def extract(rows: np.ndarray) -> np.ndarray:
        rows_seen.extend(rows.tolist())
        return rows_as_features(rows)

    return extract


def test_wanted_rows_are_filled_and_others_stay_empty(tmp_path: Path) -> None:
    wanted = np.arange(0, 300, 2)
    found = kept(tmp_path, wanted, 300)
    np.testing.assert_array_equal(found[wanted], rows_as_features(wanted))
    assert not found[1::2].any()


def test_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    kept(tmp_path, np.arange(100), 200)
    kept(tmp_path, np.arange(100), 200, refuse)
    asked: list[int] = []
    kept(tmp_path, np.arange(90, 120), 200, counted_in(asked))
    assert sorted(asked) == list(range(100, 120))


def test_work_that_is_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    wanted = np.arange(5 * BATCH)
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, wanted, len(wanted), before_batch=after(2))
    computed: list[int] = []
    found = kept(tmp_path, wanted, len(wanted), counted_in(computed))
    assert len(computed) == 3 * BATCH
    np.testing.assert_array_equal(found, rows_as_features(wanted))


def test_row_without_its_mark_counts_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int) -> None:
        raise OSError(28, "No space left on device")

    kept(tmp_path, np.arange(0), 10)
    with monkeypatch.context() as full:
        full.setattr(features.os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            kept(tmp_path, np.arange(10), 10)
    computed: list[int] = []
    kept(tmp_path, np.arange(10), 10, counted_in(computed))
    assert computed == list(range(10))


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY\x01\x00 torn", b"PK\x03\x04"])
def test_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    kept(tmp_path, np.arange(10), 10)
    (tmp_path / "f.npy").write_bytes(damage)
    np.testing.assert_array_equal(
        kept(tmp_path, np.arange(10), 10), rows_as_features(np.arange(10))
    )


def test_file_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    kept(tmp_path, np.arange(10), 10)
    path = tmp_path / "f.npy"
    path.write_bytes(path.read_bytes()[:-20])
    np.testing.assert_array_equal(
        kept(tmp_path, np.arange(10), 10), rows_as_features(np.arange(10))
    )


def test_file_of_another_size_is_not_used(tmp_path: Path) -> None:
    kept(tmp_path, np.arange(10), 10)
    found = kept(tmp_path, np.arange(0), 12)
    assert found.shape == (12, 3)
    assert not found.any()


def test_file_that_others_delete_and_make_anew_meanwhile_changes_nothing_here(
    tmp_path: Path,
) -> None:
    def swapped() -> None:
        (tmp_path / "f.npy").unlink()
        kept(tmp_path, np.arange(0), 10)

    np.testing.assert_array_equal(
        kept(tmp_path, np.arange(10), 10, before_batch=swapped), rows_as_features(np.arange(10))
    )


def _fill(folder: Path) -> None:
    kept(folder, np.arange(40 * BATCH), 40 * BATCH)


def test_processes_fill_one_file_together(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_fill, args=(tmp_path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    rows = np.arange(40 * BATCH)
    np.testing.assert_array_equal(kept(tmp_path, rows, len(rows), refuse), rows_as_features(rows))


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


@pytest.mark.parametrize("at", [130, 140, 151])
def test_row_that_has_changed_on_the_disk_is_computed_again(tmp_path: Path, at: int) -> None:
    kept(tmp_path, np.arange(10), 10)
    content = bytearray((tmp_path / "f.npy").read_bytes())
    content[at] ^= 64
    (tmp_path / "f.npy").write_bytes(content)
    computed: list[int] = []
    found = kept(tmp_path, np.arange(10), 10, counted_in(computed))
    np.testing.assert_array_equal(found, rows_as_features(np.arange(10)))
    assert len(computed) == 1


def test_folder_in_the_place_of_the_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "f.npy").mkdir()
    np.testing.assert_array_equal(
        kept(tmp_path, np.arange(10), 10), rows_as_features(np.arange(10))
    )
