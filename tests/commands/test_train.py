"""`train --from`: the winner again, on the same and on other data."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.calling import call, write_photos
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished


def best_run(finished: Finished) -> dict[str, float]:
    (tuned,) = finished.results["models"]
    return next(run for run in tuned["runs"] if run["is_kept"])


def test_gives_the_validation_accuracy_of_the_run(finished: Finished) -> None:
    shown = call(
        "train", "--from", finished.folder, "--out", "again.keras", "--json", cwd=finished.place
    )
    assert (shown.code, shown.err) == (0, "")
    last = shown.records[-1]
    expected = best_run(finished)["validation_score"]
    assert last == {
        "event": "TrainEnded",
        "model": "again.keras",
        "val_accuracy": expected,
        "test_accuracy": best_run(finished)["test"]["accuracy"],
        "n_test": 15,
        "only_class": None,
    }
    assert not any(record["event"] == "Notice" for record in shown.records)
    image = next((finished.place / "my photos").rglob("00.png"))
    models = (["--model", "again.keras"], [])
    answers = [
        call("predict", finished.folder, image, "--json", *m, cwd=finished.place).records[0]
        for m in models
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
        command = ("train", "--from", path, "--out", f"{precision}.keras", "--json")
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
        "new/again.keras",
        cwd=finished.place,
    )
    assert (shown.code, shown.out) == (0, "new/again.keras\n")
    expected = best_run(finished)
    assert shown.err.splitlines() == [
        "Starting the framework ...",
        "Training on 48 images ...",
        f"Trained on 48 images; holds the weights of epoch {expected['best_epoch']}.",
        (
            f"val_accuracy {expected['validation_score']:.4f} on 12 validation images; "
            f"the recipe's run had {expected['validation_score']:.4f}."
        ),
        (
            f"Test accuracy {expected['test']['accuracy']:.4f} on 15 held-out images; "
            f"the recipe's run had {expected['test']['accuracy']:.4f}."
        ),
    ]
    assert [path.name for path in (finished.place / "new").iterdir()] == ["again.keras"]


def test_full_data_trains_on_validation_images_too(finished: Finished) -> None:
    shown = call(
        "train", "--from", finished.folder, "--full-data", "--out", "full.keras", cwd=finished.place
    )
    assert shown.code == 0
    assert "Training on 60 images ..." in shown.err
    assert "Trained on 60 images; holds the weights of epoch " in shown.err
    assert "val_accuracy" not in shown.err
    assert (
        "Trained on all images except the test part, so there is no validation score." in shown.err
    )
    assert "on 15 held-out images.\n" in shown.err


def test_other_classes_are_refused(finished: Finished, tmp_path: Path) -> None:
    other = write_photos(tmp_path / "other", ["a", "b", "c"], n=6)
    shown = call("train", "--from", finished.folder, "--data", other, cwd=finished.place)
    assert (shown.code, shown.out) == (4, "")
    first, fix = shown.err.splitlines()
    assert first.startswith(
        'other: its classes are not those of the recipe: new "a", "b", "c"; missing "'
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
    options = ("--data", other, "--data-dir", tmp_path / "data", "--out", tmp_path / "other.keras")
    shown = call("train", "--from", finished.folder, *options, cwd=finished.place)
    assert (shown.code, shown.out) == (0, f"{tmp_path / 'other.keras'}\n")
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
    predicted = call(
        "predict", finished.folder, image, "--model", tmp_path / "other.keras", cwd=finished.place
    )
    assert predicted.code == 0


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    """A copy of the place, which a test may change; its run is in `run`."""
    shutil.copytree(finished.place / "my photos", tmp_path / "my photos")
    shutil.copytree(finished.path, tmp_path / "run")
    return tmp_path


def test_changed_data_are_said(copied: Path) -> None:
    image = next((copied / "my photos").rglob("00.png"))
    Image.fromarray(np.full((8, 8), 255, dtype=np.uint8)).save(image)
    os.utime(image, (0, 0))
    shown = call("train", "--from", "run", "--out", "x.keras", cwd=copied)
    assert shown.code == 0
    assert shown.err.splitlines()[0].startswith(
        "  note: the data differ from those of the recipe: images or labels changed (fingerprint "
    )


def test_removed_images_are_said(copied: Path) -> None:
    for image in list((copied / "my photos").rglob("0?.png")):
        image.unlink()
    shown = call("train", "--from", "run", "--out", "x.keras", cwd=copied)
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
        (
            "run/best.yaml: flip is true, but nothing says that a mirrored image of my_photos keeps"
            " its class"
        ),
        (
            "  Fix: set flip: false in the recipe, or write a card for the data with"
            " horizontal_flip: true."
        ),
    ]
    assert call("train", "--from", "run", "--data", "digits", cwd=copied).err.splitlines() == [
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
        ("again.h5", "again.h5: a model is a .keras file"),
        ("file/again.keras", "file/again.keras: cannot be written: "),
    ],
)
def test_file_that_could_not_be_written_is_refused_before_training(
    finished: Finished, out: str, message: str
) -> None:
    (finished.place / "file").touch()
    shown = call("train", "--from", finished.folder, "--out", out, cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    first, fix = shown.err.splitlines()
    assert first.startswith(message)
    assert fix.startswith("  Fix: ")


def test_training_leaves_a_persons_files_beside_the_model_alone(finished: Finished) -> None:
    (finished.place / "photos.npz").write_bytes(b"a person's own")
    assert (
        call("train", "--from", finished.folder, "--out", "photos.keras", cwd=finished.place).code
        == 0
    )
    assert (finished.place / "photos.npz").read_bytes() == b"a person's own"


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
