"""`export`: files for elsewhere, each checked against the model of the run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml

from tests.cli.calling import Outcome, call
from tests.commands.finished import Finished
from tuner.exports import convert
from tuner.exports.formats import FORMATS, Format
from tuner.store.recipe_file import read_recipe

COMBINATIONS = [
    pytest.param(name, quantize, marks=() if name in ("keras", "onnx") else pytest.mark.slow)
    for name, one in FORMATS.items()
    for quantize in (None, *one.quantizations)
]
PLAIN = ("--format", "keras")


def export(finished: Finished, *arguments: str | Path, run: Path | None = None) -> Outcome:
    return call("export", run or finished.folder, *arguments, cwd=finished.place)


def run_script(folder: Path, *photos: Path) -> list[str]:
    """What predict.py prints where this package cannot be imported.

    Without `site` nothing that an editable installation has put into site-packages is read.
    """
    paths = os.pathsep.join({sysconfig.get_path(name) for name in ("purelib", "platlib")})
    environment = {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
    python = [sys.executable, "-S"]
    known = subprocess.run(
        [*python, "-c", "import tuner"],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
    )
    assert b"ModuleNotFoundError" in known.stderr
    done = subprocess.run(
        [*python, "predict.py", *map(str, photos)],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout.splitlines()


@pytest.fixture(autouse=True)
def run_is_left_as_it_was(finished: Finished) -> Iterator[None]:
    """The run is that of all tests of commands, which look at its files."""
    yield
    shutil.rmtree(finished.path / "exports", ignore_errors=True)


@pytest.fixture
def copy(finished: Finished, tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(finished.path, tmp_path / "run"))


@pytest.mark.parametrize(("name", "quantize"), COMBINATIONS)
def test_file_is_as_good_as_its_model_and_its_script_needs_only_the_runtime(
    finished: Finished, tmp_path: Path, name: str, quantize: str | None
) -> None:
    words = ("--quantize", quantize) if quantize else ()
    if quantize == "int8":
        # The run's model has seen 48 images twice, and is not sure of any.
        words = (*words, "--max-differing", "0.2")
    shown = export(finished, "--format", name, *words, "--out", tmp_path / "out", "--json")
    assert shown.code == 0, shown.err
    (ended,) = shown.records
    assert ended["is_accepted"]
    assert (ended["n"], ended["n_test"]) == (15, 15)
    apart = {None: 1e-5, "float16": 0.01, "int8": 0.5}[quantize]
    assert ended["max_difference"] < apart
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {
        FORMATS[name].file,
        "README.md",
        "export.json",
        "labels.json",
        "predict.py",
    }
    record = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert record["check"]["n_equal"] == ended["n_equal"] >= (12 if quantize == "int8" else 15)
    assert record["check"]["original"]["scores"]["accuracy_low"] > 0
    photos = sorted((finished.place / "my photos").rglob("0[0-4].png"))
    told = call(
        "predict", finished.folder, *photos, "--calibrated", "--json", cwd=finished.place
    ).records
    for line, photo, own in zip(run_script(folder, *photos), photos, told, strict=True):
        label, share = line.removeprefix(f"{photo}: ").rsplit(" ", 1)
        assert float(share) == pytest.approx(own["probabilities"][label], abs=apart + 1e-3)
        if not quantize:
            assert label == own["class"]


def test_people_see_both_in_a_table(finished: Finished, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shown = export(finished, *PLAIN, "--out", out)
    assert (shown.code, shown.out) == (0, f"{out}/model.keras\n")
    head, original, exported, note, hint = shown.err.splitlines()[-5:]
    assert head.split("  ")[-1].strip() == "one image"
    assert original.startswith("model.keras ")
    assert "100.00 %" in exported
    assert note.startswith("Checked on 15 sealed test images; ")
    assert hint == f"Try it   python {out}/predict.py IMAGE"


def test_default_folder_is_below_the_run_and_an_export_replaces_its_own(
    only_run: Finished,
) -> None:
    first = export(only_run, *PLAIN, run=Path("latest"))
    assert first.code == 0, first.err
    folder = only_run.path / "exports" / "keras"
    assert first.out == f"{only_run.folder}/exports/keras/model.keras\n"
    (folder / "labels.json").write_text("old")
    assert export(only_run, *PLAIN, run=Path("my_photos")).code == 0
    assert "old" not in (folder / "labels.json").read_text()
    assert [path.name for path in folder.parent.iterdir()] == ["keras"]
    (folder / "mine.txt").write_text("mine")
    refused = export(only_run, *PLAIN, run=Path("my_photos"))
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        f"{only_run.folder}/exports/keras: holds files that no export wrote; they are not"
        " replaced: mine.txt\n  Fix: name another folder with --out, or move them.\n"
    )
    assert (folder / "mine.txt").read_text() == "mine"
    assert (folder / "model.keras").is_file()


def test_folder_of_something_else_is_left_alone(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    shown = export(finished, *PLAIN, "--out", tmp_path)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == (
        f"{tmp_path}: holds files that no export wrote; they are not replaced: mine.txt\n  Fix:"
        " name another folder with --out, or move them.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_working_directory_is_refused_before_the_data_are_loaded(finished: Finished) -> None:
    shown = export(finished, *PLAIN, "--out", ".")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == (
        ".: is the current folder or contains it, and an export replaces its folder\n  Fix: name"
        " a folder in it, such as --out exported.\n"
    )


def test_combination_that_cannot_be_is_refused_before_anything_else(finished: Finished) -> None:
    shown = export(finished, *PLAIN, "--quantize", "int8", run=Path("no/such/run"))
    assert shown.code == 2
    assert shown.err.startswith("--format keras cannot be quantized to int8\n  Fix: leave")


def test_model_is_one_of_the_runs(finished: Finished) -> None:
    shown = export(finished, *PLAIN, "--model", "tuend")
    assert shown.code == 2
    assert shown.err == (
        f'{finished.folder}: there is no model "tuend"\n'
        '  Fix: did you mean "tuned"? the run keeps tuned.\n'
    )
    named = export(finished, *PLAIN, "--model", "tuned")
    assert named.out == f"{finished.folder}/exports/tuned-keras/model.keras\n"


def test_model_of_a_file_is_called_by_its_name_and_nothing_is_claimed_of_it(
    finished: Finished, tmp_path: Path
) -> None:
    shutil.copy(finished.path / "model.keras", tmp_path / "Other One.keras")
    recommended = read_recipe(finished.path / "best.yaml").title
    assert recommended
    assert export(finished, *PLAIN).code == 0
    shown = export(finished, *PLAIN, "--model", tmp_path / "Other One.keras")
    folder = finished.path / "exports" / "other_one-keras"
    assert (shown.code, shown.out) == (0, f"{folder.relative_to(finished.place)}/model.keras\n")
    assert f"model: {tmp_path}/Other One.keras\n" in shown.err
    assert recommended not in shown.err
    about = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    assert (about["model"], about["temperature"]) == ("Other One.keras", None)
    assert json.loads((folder / "export.json").read_text())["title"] == "Other One.keras"
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert recommended not in card
    assert "given as a file" in card
    assert (finished.path / "exports" / "keras" / "model.keras").is_file()


def test_other_data_are_not_called_sealed(finished: Finished, tmp_path: Path) -> None:
    shown = export(finished, *PLAIN, "--out", tmp_path / "out", "--data", "./my photos")
    assert shown.code == 0, shown.err
    assert "test images; accuracy with" in shown.err
    assert "sealed" not in shown.err
    assert "sealed" not in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_trained_folder_is_exported_like_a_run(finished: Finished) -> None:
    trained = call("train", "--from", finished.folder, "--out", "for export", cwd=finished.place)
    assert trained.code == 0, trained.err
    shown = export(finished, *PLAIN, run=Path("for export"))
    assert (shown.code, shown.out) == (0, "for export/exports/keras/model.keras\n")


def test_file_with_other_labels_is_kept_beside_as_rejected(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = convert.exported_function

    def reversed_function(
        wanted: Format, path: Path, n_threads: int
    ) -> Callable[[np.ndarray], np.ndarray]:
        function = usual(wanted, path, n_threads)
        return lambda images: function(images)[:, ::-1]

    monkeypatch.setattr(convert, "exported_function", reversed_function)
    out = tmp_path / "out"
    shown = export(finished, *PLAIN, "--out", out)
    assert (shown.code, shown.out) == (1, "")
    assert f"{out}/model.keras.rejected: rejected, since the labels of " in shown.err
    assert "of the test images differ from the original's" in shown.err
    assert "at most 0.5 % may" in shown.err
    assert {path.name for path in out.iterdir()} == {
        "model.keras.rejected",
        "export.json.rejected",
    }
    assert not json.loads((out / "export.json.rejected").read_text())["is_accepted"]
    allowed = export(finished, *PLAIN, "--out", out, "--max-differing", "1", "--json")
    assert allowed.code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(before) == {
        "model.keras",
        "export.json",
        "labels.json",
        "predict.py",
        "README.md",
    }
    again = export(finished, *PLAIN, "--out", out)
    assert (again.code, again.out) == (1, "")
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(after) - set(before) == {"model.keras.rejected", "export.json.rejected"}
    assert {name: after[name] for name in before} == before


def test_card_has_the_header_that_hubs_read_and_numbers_with_intervals(
    finished: Finished, tmp_path: Path
) -> None:
    assert export(finished, *PLAIN, "--out", tmp_path / "out").code == 0
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    _, header, body = text.split("---\n", 2)
    head = yaml.safe_load(header)
    assert head["pipeline_tag"] == "image-classification"
    assert head["library_name"] == "keras"
    (result,) = head["model-index"][0]["results"]
    accuracy = result["metrics"][0]
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    scores = record["check"]["exported"]["scores"]
    assert accuracy == {
        "type": "accuracy",
        "name": "accuracy",
        "value": round(scores["accuracy"], 4),
    }
    low, high = 100 * scores["accuracy_low"], 100 * scores["accuracy_high"]
    assert f"| accuracy | {100 * scores['accuracy']:.1f} % ({low:.1f} to {high:.1f}) |" in body
    for part in ("Intended use", "Numbers", "Data", "Limits", "Licences"):
        assert f"\n## {part}\n" in body
    # A class is called <b>loud<.
    assert "<b>" not in body


def test_labels_stand_beside_the_file_and_inside(finished: Finished, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(finished, "--format", "onnx", "--out", out, "--input", "float32").code == 0
    recipe = read_recipe(finished.path / "best.yaml")
    about = json.loads((out / "labels.json").read_text(encoding="utf-8"))
    assert about["labels"] == list(recipe.image.class_names)
    assert (about["input"]["type"], about["input"]["colour"]) == ("float32", "grey")
    assert about["input"]["shape"] == [None, 8, 8, 1]
    assert (about["temperature"], about["run"]) == (recipe.temperature, finished.path.name)
    model = onnx.load(out / "model.onnx")
    inside = {one.key: one.value for one in model.metadata_props}
    assert json.loads(inside["labels"]) == about["labels"]
    (images,) = model.graph.input
    assert images.name == "images"
    assert images.type.tensor_type.elem_type == onnx.TensorProto.FLOAT


@pytest.mark.slow
def test_litert_and_saved_model_hold_their_labels(finished: Finished, tmp_path: Path) -> None:
    names = "".join(f"{n}\n" for n in read_recipe(finished.path / "best.yaml").image.class_names)
    assert export(finished, "--format", "litert", "--out", tmp_path / "a").code == 0
    with zipfile.ZipFile(tmp_path / "a" / "model.tflite") as archive:
        assert archive.read("labels.txt").decode() == names
    assert export(finished, "--format", "saved_model", "--out", tmp_path / "b").code == 0
    extra = tmp_path / "b" / "saved_model" / "assets.extra" / "labels.txt"
    assert extra.read_text(encoding="utf-8") == names
