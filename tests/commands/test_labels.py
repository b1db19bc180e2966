"""`labels`: a list of likely wrong labels, which is corrected and read back."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.calling import call
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    """A working directory with the run and its photos, to write into."""
    shutil.copytree(finished.place / "my photos", tmp_path / "my photos")
    shutil.copy(finished.place / "tiny.yaml", tmp_path)
    shutil.copytree(finished.path, tmp_path / finished.folder)
    return tmp_path


@pytest.mark.slow
def test_list_is_written_corrected_and_read_back(finished: Finished, copied: Path) -> None:
    command = ("labels", finished.folder, "--folds", "2", "--epochs", "1")
    shown = call(*command, "--json", cwd=copied)
    assert shown.code == 0, shown.err
    last = shown.records[-1]
    table = copied / finished.folder / "wrong_labels.csv"
    assert last["event"] == "LabelsEnded"
    assert last["n"] == 75
    assert last["n_folds"] == 2
    page = table.with_suffix(".html").read_text(encoding="utf-8")
    assert "likely wrong" in page
    assert str(copied) not in page

    again = call(*command, cwd=copied)
    assert again.code == 2
    assert "wrong_labels.csv: is there already, perhaps with labels that you have" in again.err
    forced = call(*command, "--force", cwd=copied)
    assert forced.code == 0, forced.err
    assert "fold 1 of 2 was predicted before" in forced.err
    assert forced.out == f"{(finished.folder / 'wrong_labels.csv').as_posix()}\n"

    split = {row["image"]: row for row in finished.rows("split.csv")}
    names = sorted({row["class"] for row in split.values()})
    chosen = [
        next(image for image, row in split.items() if row["part"].startswith(part))
        for part in ("fold", "test")
    ]
    with (copied / "corrected.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label"])
        writer.writerows(
            [image, next(name for name in names if name != split[image]["class"])]
            for image in chosen
        )
    ran = whole_run(copied, "--labels", "corrected.csv", "--max-trials", "1", "--fresh")
    assert ran.code == 0, ran.err
    assert "2 labels corrected by --labels; 1 of them is a test image" in ran.err
    folder = copied / Path(ran.out.strip()).parent
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert (results["data"]["n_corrected"], results["data"]["n_test_corrected"]) == (2, 1)
    assert results["data"]["fingerprint"] != finished.results["data"]["fingerprint"]
    with (folder / "split.csv").open(newline="", encoding="utf-8") as file:
        now = {row["image"]: row["part"] for row in csv.DictReader(file)}
    assert now == {image: row["part"] for image, row in split.items()}
    # What the run has sealed names the list, so that the same labels train again.
    trained = call("train", "--from", folder, "--out", "again", cwd=copied)
    assert trained.code == 0, trained.err
    assert "2 labels corrected by --labels" in trained.err
    assert "the data differ" not in trained.err


def test_results_have_likely_wrong_labels_of_validation_and_test(finished: Finished) -> None:
    issues, data = finished.results["label_issues"], finished.results["data"]
    assert issues["n_test"] == sum(data["test_counts"])
    assert issues["n_validation"] == sum(data["validation_counts"])
    assert 0 <= issues["n_test_flagged"] <= issues["n_test"]
    assert all((finished.path / "gallery" / one["picture"]).is_file() for one in issues["shown"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--folds", "1"), "1 is not in the range 2<=x<=20"),
        (("--out", "list.txt"), "list.txt: the list is a .csv"),
        (("--labels", "lost.csv"), "lost.csv: there is no such list of labels"),
    ],
)
def test_wrong_options_are_refused(
    finished: Finished, arguments: tuple[str, ...], message: str
) -> None:
    shown = call("labels", finished.folder, *arguments, cwd=finished.place)
    assert shown.code in (2, 4)
    assert message in shown.err


def test_what_is_no_run_is_refused(finished: Finished) -> None:
    shown = call("labels", "nothing", cwd=finished.place)
    assert shown.code == 2
    assert "nothing: there is no such run" in shown.err
