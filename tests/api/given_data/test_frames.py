"""Data frames and Parquet files name images as a CSV would, wherever the images lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.api.given_data.test_arrays import load
from tuner.api.given_data import place
from tuner.api.given_data.place import place_of
from tuner.errors import DataError


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    """Twelve files in two folders, named by whole paths."""
    rng, rows = np.random.default_rng(0), []
    for number in range(12):
        path = tmp_path / "photos" / f"shoot {number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        rows.append({"path": path, "label": "ab"[number % 2], "width": 8})
    return pd.DataFrame(rows)


def test_files_are_found_and_labels_are_kept(tmp_path: Path, frame: pd.DataFrame) -> None:
    found = load(tmp_path / "data", frame)
    assert (found.class_names, found.labels.tolist()) == (("a", "b"), [0, 1] * 6)
    with Image.open(frame["path"][3]) as image:
        assert np.array_equal(found.images[3], np.asarray(image))


def test_relative_paths_start_from_the_working_directory(
    tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame["path"] = [str(path.relative_to(tmp_path)) for path in frame["path"]]
    assert len(load(tmp_path / "data", frame).labels) == 12


def test_split_and_group_columns_count(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame["split"] = ["train"] * 8 + ["val"] * 2 + ["test"] * 2
    frame["patient"] = [number // 4 for number in range(12)]
    found = load(tmp_path / "data", frame)
    assert found.parts.tolist() == ["train"] * 8 + ["validation"] * 2 + ["test"] * 2
    assert found.groups is not None
    assert len(set(np.asarray(found.groups).tolist())) == 3


def test_frames_may_be_the_parts(tmp_path: Path, frame: pd.DataFrame) -> None:
    found = load(tmp_path / "data", frame[:8], validation_data=frame[8:])
    assert found.parts.tolist().count("validation") == 4
    assert found.parts.tolist().count("test") == 2


def test_classes_get_names(tmp_path: Path, frame: pd.DataFrame) -> None:
    found = load(tmp_path / "data", frame, class_names={"a": "ape", "b": "bee"})
    assert found.class_names == ("ape", "bee")


@pytest.mark.parametrize(
    "labels",
    [[0, 1] * 6, [0.0, 1.0] * 6, [False, True] * 6, [None, 1, 0, *[1, 0] * 4, 1]],
    ids=["numbers", "floats", "switches", "one missing"],
)
def test_numbers_get_names(tmp_path: Path, frame: pd.DataFrame, labels: list[Any]) -> None:
    frame["label"] = labels
    found = load(tmp_path / "data", frame, class_names=["ape", "bee"])
    assert found.class_names == ("ape", "bee")
    assert len(found.labels) == 12 - labels.count(None)


def test_names_of_classes_are_read_once(tmp_path: Path, frame: pd.DataFrame) -> None:
    class Counting(dict[str, str]):
        n = 0

        def items(self) -> Any:
            self.n += 1
            return super().items()

    names = Counting(a="ape", b="bee")
    place_of(frame, class_names=names, data_root=tmp_path / "data")
    assert names.n == 1


def test_a_row_without_a_path_moves_no_folder(tmp_path: Path, frame: pd.DataFrame) -> None:
    extra = pd.DataFrame([{"path": None, "label": "a", "width": 8}])
    kept = Path(place_of(pd.concat([frame, extra]), data_root=tmp_path / "data"))
    assert (kept.parent / "images").resolve() == (tmp_path / "photos").resolve()
    assert len(load(tmp_path / "data", pd.concat([frame, extra])).labels) == 12


def test_files_without_a_folder_in_common_are_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame["path"] = [*frame["path"][:-1], "/nowhere/else.png"]
    with pytest.raises(DataError, match="the files have no folder in common, such as /nowhere"):
        place_of(frame, data_root=tmp_path / "data")


@pytest.mark.parametrize(("name", "csv"), [({}, "my_photos"), ({"name": "pets"}, "pets")], ids=str)
def test_a_parquet_file_names_its_data_unless_you_do(
    tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, name: Any, csv: str
) -> None:
    monkeypatch.setattr(pd, "read_parquet", lambda path: frame)
    found = place_of(tmp_path / "my photos.parquet", data_root=tmp_path / "data", **name)
    assert Path(found).stem == csv


def test_a_parquet_file_is_read_as_a_frame(
    tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pd, "read_parquet", lambda path: frame if path.name == "t.parquet" else 0)
    frame["path"] = [str(path.relative_to(tmp_path)) for path in frame["path"]]
    found = place_of(str(tmp_path / "t.parquet"), data_root=tmp_path / "data")
    assert Path(found).name == "t.csv"


def test_a_missing_package_for_parquet_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(path: Path) -> Any:
        raise ImportError

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(DataError, match=r"t\.parquet: pandas needs a package") as raised:
        place_of(tmp_path / "t.parquet", data_root=tmp_path)
    assert "pyarrow" in raised.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.rename(columns={"label": "width", "width": "label2"}).drop(columns="label2"),
         None),
        (lambda f: f.drop(columns="path"), "expected the columns path and label; found label"),
        (lambda f: f.assign(path="nowhere.png"), "none of the files exists, such as"),
    ],
)  # fmt: skip
def test_columns_and_files_that_are_missing_are_named(
    tmp_path: Path, frame: pd.DataFrame, change: Any, message: str | None
) -> None:
    if message is None:
        assert len(load(tmp_path / "data", change(frame)).labels) == 12
        return
    with pytest.raises(DataError) as raised:
        place_of(change(frame), data_root=tmp_path / "data")
    assert message in raised.value.message


def test_parts_are_named_once(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame["split"] = "train"
    with pytest.raises(DataError, match="the column split names parts, and so do the arguments"):
        place_of(frame, test=frame, data_root=tmp_path)


def test_a_disk_without_links_is_told(
    tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Any, target_is_directory: bool = False) -> None:
        raise OSError(1, "not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(DataError, match="cannot make a link to the images: not permitted"):
        place_of(frame, data_root=tmp_path / "data")


def test_a_frame_beside_arrays_is_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    pair = (np.zeros((2, 8, 8), np.uint8), [0, 1])
    with pytest.raises(DataError, match="DataFrame of shape"):
        place_of(pair, test=frame, data_root=tmp_path)
    assert place.is_frame(frame)
