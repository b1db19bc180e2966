"""`labels`: a list of likely wrong labels, which is corrected and read back."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.cli.calling import call
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished
from tuner.names import text_of_cell
from tuner.production.out_of_fold import Cut, OutOfFold, Plan, cut_parts
from tuner.records.combination import Combination, View
from tuner.records.sealed_recipe import Recipe
from tuner.store.recipe_file import read_recipe, write_recipe


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
    assert "wrong_labels.csv: already exists, perhaps with labels that you have" in again.err
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
    # A second round keeps both corrections, whatever it lists.
    second = call(*command, "--labels", "corrected.csv", "--out", "second.csv", cwd=copied)
    assert second.code == 0, second.err
    ran = whole_run(copied, "--labels", "second.csv", "--max-trials", "1", "--fresh")
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
    pictures = {path.name for path in (finished.path / "gallery").glob("label-*")}
    assert {one["picture"] for one in issues["shown"]} == pictures
    n_flagged = issues["n_validation_flagged"] + issues["n_test_flagged"]
    assert min(1, n_flagged) <= len(pictures) <= n_flagged


class Planted:
    """In the place of the trainings: models that are sure of the given labels, but for some."""

    def __init__(self, finished: Finished) -> None:
        self.split = finished.rows("split.csv")
        self.names = finished.results["data"]["class_names"]
        self.said = [self.names.index(row["class"]) for row in self.split]
        self.sure: list[int] = []
        self.recipes: list[Recipe] = []

    def __call__(self, recipe: Recipe, data: object, plan: Plan, *others: object) -> OutOfFold:
        self.recipes.append(recipe)
        rows = np.sort(np.concatenate([part.predicted for part in plan.parts]))
        # Surer of the images in question than of the others, whose mean is a class's threshold.
        sure = np.where(np.isin(rows, self.sure), 0.98, 0.8)[:, None]
        found = np.where(np.eye(len(self.names))[np.array(self.said)[rows]] == 1, sure, 0.01)
        return OutOfFold(rows=rows, probabilities=found / found.sum(axis=1, keepdims=True))

    def row(self, part: str, at: int) -> int:
        """Number of an image of a part."""
        found = [n for n, one in enumerate(self.split) if one["part"].startswith(part)]
        return found[at]

    def correction(self, row: int) -> tuple[str, str, str]:
        """An image, its given class, and another one."""
        name = self.split[row]["class"]
        other = self.names[(self.names.index(name) + 1) % len(self.names)]
        return self.split[row]["image"], name, other


@pytest.fixture
def planted(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> Planted:
    found = Planted(finished)
    monkeypatch.setattr("tuner.commands.labels.predict_out_of_fold", found)
    return found


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return [
            {name: text_of_cell(cell) for name, cell in row.items()} for row in csv.DictReader(file)
        ]


def test_a_second_list_has_all_corrections_of_the_first(
    finished: Finished, copied: Path, planted: Planted
) -> None:
    doubted, agreed = planted.row("fold", 0), planted.row("fold", 1)
    of_test = planted.row("test", 0)
    corrections = {row: planted.correction(row) for row in (doubted, agreed, of_test)}
    planted.sure = list(corrections)
    # The models have the corrected class for one of them, and the given one for the others.
    planted.said[agreed] = planted.names.index(corrections[agreed][2])
    with (copied / "first.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([("image", "given", "label"), *corrections.values()])
    command = ("labels", finished.folder)
    second = call(*command, "--labels", "first.csv", "--out", "second.csv", "--json", cwd=copied)
    assert second.code == 0, second.err
    rows = {row["image"]: row for row in rows_of(copied / "second.csv")}
    for image, given, label in corrections.values():
        assert (rows[image]["given"], rows[image]["label"]) == (given, label)
    assert [rows[corrections[row][0]]["rank"] != "" for row in corrections] == [True, False, True]
    assert rows[corrections[agreed][0]]["part"] == "train"
    last = second.records[-1]
    assert (last["n_listed"], last["n_test_listed"], last["n_earlier"]) == (2, 1, 1)
    page = (copied / "second.html").read_text(encoding="utf-8")
    assert "The list ends with 1 earlier correction" in page

    # The second list fits the data, and nothing gets lost from round to round.
    third = call(*command, "--labels", "second.csv", "--out", "third.csv", cwd=copied)
    assert third.code == 0, third.err
    assert (copied / "third.csv").read_bytes() == (copied / "second.csv").read_bytes()
    assert "1 earlier correction" in third.err


def test_no_page_of_another_kind_is_replaced(
    finished: Finished, copied: Path, planted: Planted
) -> None:
    report = copied / finished.folder / "report.html"
    before = report.read_bytes()
    out = finished.folder / "report.csv"
    shown = call("labels", finished.folder, "--out", out, cwd=copied)
    assert shown.code == 2
    assert "report.html: already exists" in shown.err
    assert report.read_bytes() == before
    assert not (copied / out).exists()
    assert planted.recipes == []


def test_a_command_that_ended_between_page_and_list_is_given_again(
    finished: Finished, copied: Path, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tuner.commands.labels.write_label_table", killed)
        assert call("labels", finished.folder, "--out", "list.csv", cwd=copied).code != 0
    assert (copied / "list.html").is_file()
    assert not (copied / "list.csv").exists()
    again = call("labels", finished.folder, "--out", "list.csv", cwd=copied)
    assert again.code == 0, again.err
    assert (copied / "list.csv").is_file()


def test_a_list_that_cannot_be_written_is_refused_before_the_training(
    finished: Finished, copied: Path, planted: Planted
) -> None:
    (copied / "folder.csv").mkdir()
    (copied / "page.html").mkdir()
    for out, message in {
        "tiny.yaml/list.csv": "tiny.yaml/list.csv: cannot be written",
        "folder.csv": "folder.csv: is a folder",
        "page.csv": "page.html: is a folder",
    }.items():
        shown = call("labels", finished.folder, "--force", "--out", out, cwd=copied)
        assert shown.code == 2
        assert message in shown.err
    assert planted.recipes == []


def test_a_run_that_recommends_views_is_looked_at_by_its_tuned_model(
    finished: Finished, copied: Path, planted: Planted
) -> None:
    path = copied / finished.folder / "best.yaml"
    tuned = read_recipe(path.parent / "models" / "tuned.yaml")
    views = Combination(views=(View(), View(right=1)))
    write_recipe(replace(tuned, title="Views", epochs=9, combination=views), path, "")
    shown = call("labels", finished.folder, cwd=copied)
    assert shown.code == 0, shown.err
    assert "Views combines predictions; labels are looked for with the tuned model" in shown.err
    assert planted.recipes == [tuned]


def test_fewer_folds_and_test_images_left_out_are_told(
    finished: Finished, copied: Path, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limited(*arguments: object, **options: bool) -> Cut:
        cut = cut_parts(*arguments, **options)  # type: ignore[arg-type]
        return replace(cut, n_left_out=2, limit="3 folds instead of 5")

    monkeypatch.setattr("tuner.commands.labels.cut_parts", limited)
    shown = call("labels", finished.folder, "--json", cwd=copied)
    assert shown.code == 0, shown.err
    notices = [one["text"] for one in shown.records if one["event"] == "Notice"]
    assert "3 folds instead of 5" in notices
    assert any("2 test images are left out" in text for text in notices)
    assert shown.records[-1]["n_left_out"] == 2
    page = copied / finished.folder / "wrong_labels.html"
    assert "2 test images are left out" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--folds", "1"), "1 is not in the range 2<=x<=20"),
        (("--out", "list.txt"), "list.txt: the list must be a .csv file"),
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
