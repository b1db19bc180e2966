"""`train --from`: what differs from the time when the recipe was written."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from PIL import Image

from tests.cli.calling import call
from tests.commands.finished import Finished
from tests.store.recipes import make_recipe
from tuner.commands.train import train
from tuner.errors import ConfigurationError
from tuner.names import printable
from tuner.production.train_options import TrainOptions
from tuner.records.events import Event, Notice
from tuner.store.recipe_file import read_recipe, write_recipe

WHAT_CHANGES_MEAN = (
    "note: the expected interval at the end shows whether these differences matter; with --verify,"
    " a score outside of it ends the command with exit code 3"
)


def test_recipe_edited_by_hand_is_said(copied: Path) -> None:
    path = copied / "run/best.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"# A comment is no edit.\n{text}", encoding="utf-8")
    assert call("train", "--from", "run", "--out", "x", cwd=copied).notes == []
    path.write_text(text.replace("dense_units: 0", "dense_units: 4"), encoding="utf-8")
    shown = call("train", "--from", "run", "--out", "y", cwd=copied)
    assert shown.code == 0
    assert shown.notes == [
        "note: changed since the recipe was written: run/best.yaml, which was edited",
        "note: changed since the recipe was written: values.dense_units is 4, was 0",
        WHAT_CHANGES_MEAN,
    ]
    # Elsewhere, nothing is left to compare it with.
    shutil.move(path, copied / "moved.yaml")
    assert call("train", "--from", "moved.yaml", "--out", "z", cwd=copied).notes == [
        "note: changed since the recipe was written: moved.yaml, which was edited",
        WHAT_CHANGES_MEAN,
    ]


def test_other_versions_are_said_package_by_package(copied: Path) -> None:
    recipe = read_recipe(copied / "run/best.yaml")
    then = {**recipe.versions, "keras": "3.1.0", "numpy": "1.0"}
    write_recipe(replace(recipe, versions=then), copied / "run/best.yaml", "")
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    since = "changed since the recipe was written"
    assert shown.notes == [
        f"note: {since}: keras is {recipe.versions['keras']}, was 3.1.0",
        f"note: {since}: numpy is {recipe.versions['numpy']}, was 1.0",
        WHAT_CHANGES_MEAN,
    ]
    verified = call("train", "--from", "run", "--out", "y", "--verify", cwd=copied)
    assert verified.code == 0
    assert WHAT_CHANGES_MEAN not in verified.notes


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
    recipe = read_recipe(copied / "run/best.yaml")
    (old,) = [name for name in recipe.image.class_names if name == printable(first.name)]
    assert f'write "renamed" for "{old}" under class_names in the recipe' in shown.err
    names = tuple("renamed" if name == old else name for name in recipe.image.class_names)
    image = replace(recipe.image, class_names=names)
    write_recipe(replace(recipe, image=image), copied / "run/best.yaml", "")
    assert call("train", "--from", "run", "--out", "x", cwd=copied).code == 0


def test_one_missing_image_is_named(copied: Path) -> None:
    missing = next((copied / "my photos").rglob("05.png"))
    missing.unlink()
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert shown.code == 0
    *found, meaning = shown.notes
    *counts, gone = [note.partition("recipe: ")[2] for note in found]
    name = printable(missing.relative_to(copied / "my photos").as_posix())
    assert gone == f"1 missing image file: {name}"
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
    lines = [note.partition("recipe: ")[2] for note in shown.notes]
    assert f"2 missing image files: {place}/05.png, {place}/06.png" in lines
    assert f"2 new image files: {place}/renamed.png, {printable(second.name)}/moved.png" in lines
    split = copied / "run/split.csv"
    rows = split.read_text(encoding="utf-8")
    split.write_text(f"{rows}\x1b[2J.png,a,test,,,\n", encoding="utf-8")
    shown = call("train", "--from", "run", "--model", "tuned", "--out", "y", cwd=copied)
    assert "\\x1b[2J.png" in shown.err
    assert "\x1b" not in shown.err


def test_one_changed_pixel_is_said(copied: Path) -> None:
    path = next((copied / "my photos").rglob("05.png"))
    with Image.open(path) as image:
        image.putpixel((2, 3), 255 - image.getpixel((2, 3)))
        image.save(path)
    os.utime(path, (0, 0))
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert shown.code == 0
    assert shown.notes[0].startswith(
        "note: the data differ from those of the recipe: the files and their classes are the same,"
        " but pixels or parts changed (fingerprint "
    )
    (copied / "run/split.csv").unlink()
    shown = call("train", "--from", "run", "--out", "y", cwd=copied)
    assert "recipe: images or labels changed (fingerprint " in shown.notes[0]


def test_recipe_of_an_earlier_version_is_trained(copied: Path) -> None:
    path = copied / "run/best.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name in ("expected", "builder", "weights_digest", "origin", "digest"):
        del data[name]
    del data["data"]["split_digest"]
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    shown = call("train", "--from", "run", "--out", "x", cwd=copied)
    assert (shown.code, shown.notes) == (0, [])


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
        "  note: changed since the recipe was written: values.flip is true, was false",
        (
            "run/best.yaml: flip is true, but nothing states that a mirrored image of my_photos"
            " keeps its class"
        ),
        (
            "  Fix: set flip: false in the recipe, or write a card for the data with"
            " horizontal_flip: true."
        ),
    ]
    assert call("train", "--from", "run", "--data", "digits", cwd=copied).err.splitlines()[2:] == [
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
