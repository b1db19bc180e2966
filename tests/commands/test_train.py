"""`train --from`: the winner again, on the same and on other data."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.cli.calling import call, write_photos
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished
from tests.store.recipes import make_recipe
from tuner.commands.train import train
from tuner.errors import ConfigurationError
from tuner.names import printable
from tuner.production.train_options import TrainOptions
from tuner.records.events import Event, Notice
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
            f"val_accuracy {expected['validation_score']:.4f} on 12 validation images; "
            f"the recipe's run had {expected['validation_score']:.4f}."
        ),
        (
            f"Test accuracy {expected['test']['accuracy']:.4f} on 15 held-out images; "
            f"the recipe's run had {expected['test']['accuracy']:.4f}."
        ),
    ]
    assert interval.startswith("Expected 0.")
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


WHAT_CHANGES_MEAN = (
    "note: the expected interval at the end shows whether these differences matter; with --verify,"
    " a score outside of it ends the command with exit code 3"
)


def notes(err: str) -> list[str]:
    return [line.strip() for line in err.splitlines() if "note:" in line]


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
    assert (again.code, notes(again.err)) == (0, [])
    assert f"; the recipe's run had {recipe.validation_score:.4f}." in again.err


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


def test_recipe_edited_by_hand_is_said(copied: Path) -> None:
    path = copied / "run/best.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"# A comment is no edit.\n{text}", encoding="utf-8")
    assert notes(call("train", "--from", "run", "--out", "x", cwd=copied).err) == []
    path.write_text(text.replace("dense_units: 0", "dense_units: 4"), encoding="utf-8")
    shown = call("train", "--from", "run", "--out", "y", cwd=copied)
    assert shown.code == 0
    assert notes(shown.err) == [
        "note: changed since the recipe was written: run/best.yaml, which was edited",
        WHAT_CHANGES_MEAN,
    ]


def test_other_versions_are_said_package_by_package(copied: Path) -> None:
    recipe = read_recipe(copied / "run/best.yaml")
    then = {**recipe.versions, "keras": "3.1.0", "numpy": "1.0"}
    write_recipe(replace(recipe, versions=then), copied / "run/best.yaml", "")
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    since = "changed since the recipe was written"
    assert notes(shown.err) == [
        f"note: {since}: keras is {recipe.versions['keras']}, was 3.1.0",
        f"note: {since}: numpy is {recipe.versions['numpy']}, was 1.0",
        WHAT_CHANGES_MEAN,
    ]
    verified = call("train", "--from", "run", "--out", "y", "--verify", cwd=copied)
    assert verified.code == 0
    assert WHAT_CHANGES_MEAN not in notes(verified.err)


def test_run_that_was_cut_short_is_said_first(copied: Path) -> None:
    recipe = read_recipe(copied / "run/best.yaml")
    assert recipe.origin is not None
    cut = replace(recipe.origin, cut_short=("the time budget of 60 s left a training at most 1",))
    write_recipe(replace(recipe, origin=cut), copied / "run/best.yaml", "")
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert shown.err.splitlines()[0] == (
        "  note: the recipe comes from a run that was cut short: the time budget of 60 s left a"
        " training at most 1"
    )


def test_renamed_class_is_said(copied: Path) -> None:
    first = sorted((copied / "my photos").iterdir())[0]
    first.rename(first.with_name("renamed"))
    shown = call("train", "--from", "run", cwd=copied)
    assert shown.code == 4
    assert shown.err.splitlines()[0].startswith(
        'my_photos: its classes differ from those of the recipe: new "renamed"; missing "'
    )
    assert not list((copied / "run").glob("trained-*"))


def test_one_missing_image_is_named(copied: Path) -> None:
    missing = next((copied / "my photos").rglob("05.png"))
    missing.unlink()
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert shown.code == 0
    *found, meaning = notes(shown.err)
    *counts, gone = [note.partition("recipe: ")[2] for note in found]
    name = printable(missing.relative_to(copied / "my photos").as_posix())
    assert gone == f"1 image file gone: {name}"
    assert counts
    assert all(" images, " in line and line.endswith(" then") for line in counts)
    assert meaning == WHAT_CHANGES_MEAN


def test_new_files_and_files_of_another_class_are_named(copied: Path) -> None:
    first, second, *_ = sorted((copied / "my photos").iterdir())
    (first / "05.png").rename(first / "renamed.png")
    shutil.move(first / "06.png", second / "moved.png")
    shown = call("train", "--from", "run", "--model", "tuned", "--out", "x", cwd=copied)
    assert shown.code == 0
    place = printable(first.name)
    lines = [note.partition("recipe: ")[2] for note in notes(shown.err)]
    assert f"2 image files gone: {place}/05.png, {place}/06.png" in lines
    assert f"2 image files new: {place}/renamed.png, {printable(second.name)}/moved.png" in lines


def test_one_changed_pixel_is_said(copied: Path) -> None:
    path = next((copied / "my photos").rglob("05.png"))
    with Image.open(path) as image:
        image.putpixel((2, 3), 255 - image.getpixel((2, 3)))
        image.save(path)
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert shown.code == 0
    assert notes(shown.err)[0].startswith(
        "note: the data differ from those of the recipe: the files and their classes are the same,"
        " but pixels or parts changed (fingerprint "
    )
    (copied / "run/split.csv").unlink()
    shown = call("train", "--from", "run", "--out", "y", cwd=copied)
    assert "recipe: images or labels changed (fingerprint " in notes(shown.err)[0]


def test_recipe_of_an_earlier_version_is_trained(copied: Path) -> None:
    path = copied / "run/best.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name in ("expected", "builder", "weights_digest", "origin", "digest"):
        del data[name]
    del data["data"]["split_digest"]
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert (shown.code, notes(shown.err)) == (0, [])


def test_recipe_of_your_own_code_is_said_before_any_of_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "told_first").mkdir()
    for name in ("__init__", "nets"):
        (tmp_path / f"told_first/{name}.py").touch()
    recipe = replace(
        make_recipe(), model="told_first.nets:build", values={}, builder={"told_first/nets.py": "0"}
    )
    write_recipe(recipe, tmp_path / "best.yaml", "")
    told: list[tuple[bool, str]] = []

    def listen(event: Event) -> None:
        assert isinstance(event, Notice)
        told.append(("told_first" in sys.modules, event.text))

    with pytest.raises(ConfigurationError, match="no data set is called"):
        train(TrainOptions(source=Path("best.yaml")), listen)
    assert told[0] == (
        False,
        f"this recipe runs code: it imports told_first.nets ({tmp_path}/told_first/__init__.py)"
        " and calls its build",
    )
    assert [is_imported for is_imported, _ in told][-1]


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    """A copy of the place, which a test may change; its run is in `run`."""
    shutil.copytree(finished.place / "my photos", tmp_path / "my photos")
    shutil.copytree(finished.path, tmp_path / "run")
    return tmp_path


def test_one_changed_pixel_is_said(copied: Path) -> None:
    image = next((copied / "my photos").rglob("00.png"))
    with Image.open(image) as picture:
        pixels = np.array(picture)
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(image)
    os.utime(image, (0, 0))
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert shown.code == 0
    assert shown.err.splitlines()[0].startswith(
        "  note: the data differ from those of the recipe: images or labels changed (fingerprint "
    )


def test_removed_images_are_said(copied: Path) -> None:
    for image in list((copied / "my photos").rglob("0?.png")):
        image.unlink()
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert shown.code == 0
    notes = [line for line in shown.err.splitlines() if "note:" in line]
    assert [note.partition("recipe: ")[2].partition(",")[0] for note in notes[:3]] == [
        "29 training images",
        "7 validation images",
        "9 test images",
    ]


def test_recipe_that_mirrors_is_refused_where_the_card_does_not_allow_it(copied: Path) -> None:
    recipe = copied / "run" / "best.yaml"
    text = recipe.read_text(encoding="utf-8")
    assert text.count("flip: false") == 1
    recipe.write_text(text.replace("flip: false", "flip: true"), encoding="utf-8")
    shown = call("train", "--from", "run", cwd=copied)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.splitlines() == [
        "  note: changed since the recipe was written: run/best.yaml, which was edited",
        (
            "run/best.yaml: flip is true, but nothing states that a mirrored image of my_photos"
            " keeps its class"
        ),
        (
            "  Fix: set flip: false in the recipe, or write a card for the data with"
            " horizontal_flip: true."
        ),
    ]
    assert call("train", "--from", "run", "--data", "digits", cwd=copied).err.splitlines()[1:] == [
        "run/best.yaml: flip is true, but datasets/digits.yaml says horizontal_flip: false",
        (
            "  Fix: set flip: false in the recipe; where mirrored images keep their class, set"
            " horizontal_flip: true in the card."
        ),
    ]


def test_missing_data_are_said(copied: Path) -> None:
    shutil.rmtree(copied / "my photos")
    shown = call("train", "--from", "run", cwd=copied)
    assert shown.code == 4
    assert (
        shown.err.splitlines()[0]
        == "my photos: there is no such file or folder; the recipe names it"
    )


def test_typo_in_an_edited_recipe_is_named_with_its_line(copied: Path) -> None:
    recipe = copied / "run" / "best.yaml"
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(text.replace("\npatience:", "\npatiense:"), encoding="utf-8")
    line = text[: text.index("\npatience:")].count("\n") + 2
    shown = call("train", "--from", "run", cwd=copied)
    assert shown.code == 2
    assert shown.err.startswith(
        f'run/best.yaml:{line}: patiense is not a known key.\n  Fix: did you mean "patience"?\n'
    )


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


def test_data_that_moved_are_asked_for(finished: Finished, tmp_path: Path) -> None:
    shutil.copy(finished.path / "best.yaml", tmp_path / "best.yaml")
    shown = call("train", "--from", "best.yaml", cwd=tmp_path)
    assert shown.code == 4
    assert shown.err.splitlines() == [
        "my photos: there is no such file or folder; the recipe names it",
        (
            "  Fix: start from the folder that the run was started in, or name where the data are"
            " now: --data PATH, or --data-dir for the root of the data."
        ),
    ]
