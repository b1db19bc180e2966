"""`train --from`: the winner again, on the same and on other data."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY

import pytest

from tests.cli.calling import call, write_photos
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished
from tuner.records.expected_score import ExpectedScore
from tuner.store.recipe_file import read_recipe, write_recipe


def best_run(finished: Finished) -> dict[str, float]:
    (tuned,) = finished.results["models"]
    return next(run for run in tuned["runs"] if run["is_kept"])


def test_gives_the_validation_accuracy_of_the_run(finished: Finished) -> None:
    shown = call("train", "--from", finished.folder, "--out", "again", "--json", cwd=finished.place)
    assert (shown.code, shown.err) == (0, "")
    last = shown.records[-1]
    expected = best_run(finished)["validation_score"]
    accuracy = best_run(finished)["test"]["accuracy"]
    low, high = last.pop("expected")
    assert low <= accuracy <= high
    assert last == {
        "event": "TrainEnded",
        "folder": "again",
        "model": "again/model.keras",
        "val_accuracy": expected,
        "test_accuracy": accuracy,
        "test_accuracies": [accuracy],
        "n_test": 15,
        "is_expected": True,
        "only_class": None,
    }
    assert not any(record["event"] == "Notice" for record in shown.records)
    image = next((finished.place / "my photos").rglob("00.png"))
    answers = [
        call("predict", run, image, "--json", cwd=finished.place).records[0]
        for run in ("again", finished.folder)
    ]
    assert answers[0] == answers[1]


@pytest.mark.slow
def test_recipe_is_trained_in_the_precision_of_its_run(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "my photos", tmp_path / "my photos")
    shutil.copy(place / "tiny.yaml", tmp_path)
    options = ("--max-trials", "1", "--set", "retrain.seeds=1", "--set", "compare=[]")
    shown = whole_run(tmp_path, "--precision", "mixed_bfloat16", *options)
    assert shown.code == 0, shown.err
    (folder,) = (tmp_path / "reports" / "my_photos").iterdir()
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["run"]["hardware"]["precision"] == "mixed_bfloat16"
    (kept,) = results["models"][0]["runs"]
    trained: dict[str, list[float]] = {}
    for precision in ("mixed_bfloat16", "float32"):
        recipe = (folder / "best.yaml").read_text(encoding="utf-8")
        assert "precision: mixed_bfloat16" in recipe
        path = tmp_path / f"{precision}.yaml"
        path.write_text(recipe.replace("mixed_bfloat16", precision), encoding="utf-8")
        command = ("train", "--from", path, "--out", precision, "--json")
        trained[precision] = [
            record["epoch"]["metrics"]["loss"]
            for record in call(*command, cwd=tmp_path).records
            if record["event"] == "EpochEnded"
        ]
    of_run = [epoch["metrics"]["loss"] for epoch in kept["epochs"]]
    assert trained["mixed_bfloat16"] == of_run != trained["float32"]


def test_says_for_people_what_it_did(finished: Finished) -> None:
    shown = call(
        "train",
        "--from",
        finished.folder / "best.yaml",
        "--out",
        "new/again",
        cwd=finished.place,
    )
    assert (shown.code, shown.out) == (0, "new/again/model.keras\n")
    expected = best_run(finished)
    *lines, interval, report, predict = shown.err.splitlines()
    assert lines == [
        "Starting the framework ...",
        "Training on 48 images ...",
        f"Trained on 48 images; the weights are those of epoch {expected['best_epoch']}.",
        (
            f"val_accuracy {100 * expected['validation_score']:.2f} % on 12 validation images; "
            f"the recipe's run had {100 * expected['validation_score']:.2f} %."
        ),
        (
            f"Test accuracy {100 * expected['test']['accuracy']:.2f} % on 15 held-out images; "
            f"the recipe's run had {100 * expected['test']['accuracy']:.2f} %."
        ),
    ]
    assert re.match(r"Expected \d+\.\d\d % to \d+\.\d\d %, ", interval)
    assert interval.endswith(
        " points wide (at least 95 %; 2 seeds of the recipe's run on 15 test images): within it."
    )
    assert report == "Report   new/again/report.html"
    assert predict == "Predict  python -m tuner predict new/again IMAGE"
    files = {path.name for path in (finished.place / "new/again").iterdir()}
    assert files == {"model.keras", "best.yaml", "results.json", "report.html"}


def test_full_data_trains_on_validation_images_too(finished: Finished) -> None:
    shown = call(
        "train", "--from", finished.folder, "--full-data", "--out", "full", cwd=finished.place
    )
    assert shown.code == 0
    assert "Training on 60 images ..." in shown.err
    assert "Trained on 60 images; the weights are those of epoch " in shown.err
    assert "val_accuracy" not in shown.err
    assert (
        "Trained on all images except the test part, so there is no validation score." in shown.err
    )
    assert "on 15 held-out images.\n" in shown.err
    assert "Expected" not in shown.err


def test_other_classes_are_refused(finished: Finished, tmp_path: Path) -> None:
    other = write_photos(tmp_path / "other", ["a", "b", "c"], n=6)
    shown = call("train", "--from", finished.folder, "--data", other, cwd=finished.place)
    assert (shown.code, shown.out) == (4, "")
    first, fix = shown.err.splitlines()
    assert first.startswith(
        'other: its classes differ from those of the recipe: new "a", "b", "c"; missing "'
    )
    assert (
        fix == "  Fix: use data of the same classes, or search again on these data with `python -m"
        " tuner run`."
    )


def test_other_images_are_brought_to_the_recipes_size_and_scored(
    finished: Finished, tmp_path: Path
) -> None:
    names = [path.name for path in (finished.place / "my photos").iterdir()]
    other = write_photos(tmp_path / "other", sorted(names), n=12, size=12)
    options = ("--data", other, "--data-dir", tmp_path / "data", "--out", tmp_path / "other-model")
    shown = call("train", "--from", finished.folder, *options, cwd=finished.place)
    assert (shown.code, shown.out) == (0, f"{tmp_path / 'other-model/model.keras'}\n")
    lines = shown.err.splitlines()
    assert (
        lines[0]
        == "  note: images are resized to 8 x 8 grey, as in the recipe (they are 12 x 12 grey)"
    )
    assert "the recipe's run had" not in shown.err
    assert [
        line
        for line in lines
        if line.startswith("Test accuracy ") and line.endswith(" held-out images.")
    ]
    image = next(other.rglob("00.png"))
    predicted = call("predict", tmp_path / "other-model", image, cwd=finished.place)
    assert predicted.code == 0


def test_folder_that_train_wrote_serves_like_a_runs(finished: Finished, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    words = ("--seeds", "2", "--verify", "--json")
    shown = call("train", "--from", finished.folder, *words, "--out", first, cwd=finished.place)
    assert shown.code == 0
    assert len(shown.records[-1]["test_accuracies"]) == 2
    recipe = read_recipe(first / "best.yaml")
    assert recipe.expected is not None
    assert (recipe.expected.n_seeds, recipe.expected.n_images) == (2, 15)
    assert recipe.origin == read_recipe(finished.path / "best.yaml").origin
    page = (first / "report.html").read_text(encoding="utf-8")
    sections = ("recommendation", "verdict", "models", "errors", "curves", "history", "reproduce")
    shown_sections = [name for name in sections if f'<section id="{name}"' in page]
    assert shown_sections == ["models", "errors", "curves", "reproduce"]
    assert call("report", first, cwd=finished.place).code == 0
    assert (first / "report.html").read_text(encoding="utf-8") == page
    listed = call("compare", first, finished.folder, "--json", cwd=finished.place)
    assert [row["n_test"] for row in listed.records[:-1]] == [15, 15]
    again = call("train", "--from", first, "--out", second, cwd=finished.place)
    assert (again.code, again.notes) == (0, [])
    assert f"; the recipe's run had {100 * recipe.validation_score:.2f} %." in again.err


def test_recipe_of_a_training_on_all_images_trains_on_all_of_them_again(
    finished: Finished, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    words = ("train", "--from", finished.folder, "--full-data", "--json", "--out", first)
    once = call(*words, cwd=finished.place).records[-1]
    shown = call("train", "--from", first, "--json", "--out", second, cwd=finished.place)
    assert shown.err == ""
    paths = {"folder": str(second), "model": str(second / "model.keras")}
    # More images are expected to score otherwise; as many again are expected to score the same.
    results = json.loads((first / "results.json").read_text(encoding="utf-8"))
    assert results["search"]["best_score"] == "NaN"
    assert results["models"][0]["file_size_bytes"] == (first / "model.keras").stat().st_size
    assert results["models"][0]["latency_ms"] > 0
    page = (first / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)
    assert (once.pop("expected"), once.pop("is_expected")) == (None, None)
    assert shown.records[-1] == {**once, **paths, "expected": ANY, "is_expected": True}
    verified = call(*words[:-1], tmp_path / "third", "--verify", cwd=finished.place)
    assert (verified.code, verified.out) == (2, "")
    assert "is that of a training without the validation images" in verified.err


@pytest.mark.parametrize(("expected", "where"), [(0.0, "above it."), (1.0, "below it.")])
def test_score_outside_of_the_expected_interval_ends_with_3_where_it_is_verified(
    copied: Path, finished: Finished, expected: float, where: str
) -> None:
    assert 0.1 < best_run(finished)["test"]["accuracy"] < 0.9
    recipe = read_recipe(copied / "run/best.yaml")
    score = ExpectedScore(
        accuracy=expected, low=expected, high=expected, n_images=9_999, n_seeds=1, seed_sd=None
    )
    write_recipe(replace(recipe, expected=score), copied / "run/best.yaml", "")
    words = ("train", "--from", "run", "--out")
    shown = call(*words, "verified", "--verify", cwd=copied)
    assert (shown.code, shown.out) == (3, "verified/model.keras\n")
    (line,) = [line for line in shown.err.splitlines() if line.startswith("Expected ")]
    assert line.endswith(where)
    assert "One seed does not show the noise of training" in shown.err
    assert call(*words, "unverified", cwd=copied).code == 0


def test_recipe_without_an_expected_score_cannot_be_verified(copied: Path) -> None:
    recipe = read_recipe(copied / "run/best.yaml")
    write_recipe(replace(recipe, expected=None), copied / "run/best.yaml", "")
    shown = call("train", "--from", "run", "--verify", cwd=copied)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.splitlines()[0] == "run/best.yaml: it states no expected test score to verify"
    assert not list((copied / "run").glob("trained-*"))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("again.keras", "again.keras: train writes a folder, with model.keras, best.yaml and "),
        ("file/again", "file/again: cannot write there: "),
        ("file", "file: cannot be written: "),
        ("my photos", "my photos: already holds files; they are not replaced"),
    ],
)
def test_folder_that_could_not_be_written_is_refused_before_training(
    finished: Finished, out: str, message: str
) -> None:
    (finished.place / "file").touch()
    shown = call("train", "--from", finished.folder, "--out", out, cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    first, fix = shown.err.splitlines()
    assert first.startswith(message)
    assert fix.startswith("  Fix: ")
