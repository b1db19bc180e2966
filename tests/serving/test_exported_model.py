"""Folders that `export` writes, served without a framework; the runtime is one of the test's."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.recipes import make_recipe
from tuner.commands.serve import serve
from tuner.errors import ConfigurationError
from tuner.exports.formats import FORMATS
from tuner.exports.labels_file import labels_record
from tuner.production.exported_labels import write_labels
from tuner.production.recipe_images import recipe_settings
from tuner.serving import exported_model
from tuner.serving.exported_model import ExportedModel, Runtime, is_exported
from tuner.serving.options import ServeOptions

ROOT = Path(__file__).parents[2]

LABELS: Mapping[str, Any] = {
    "file": "model.scale",
    "labels": ["dark", "bright"],
    "input": {
        "name": "images",
        "shape": [None, 8, 6, 3],
        "type": "uint8",
        "range": [0, 255],
        "height": 8,
        "width": 6,
        "channels": 3,
        "colour": "RGB",
        "background": [255, 255, 255],
    },
    "output": "probabilities, one for each label",
    "temperature": 1.5,
    "model": "Tuned",
}


def load_scale(path: Path, n_threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """A model whose file holds the number that brightness is divided by."""
    assert n_threads == 2
    scale = float(path.read_text())

    def run(images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.uint8
        bright = images.reshape(len(images), -1).mean(axis=1, dtype=np.float32) / scale
        return np.stack([1 - bright, bright], axis=1)

    return run


@pytest.fixture(autouse=True)
def scale_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    runtimes = {
        ".scale": Runtime(kind="scale", module="json", package="scale", load=load_scale),
        ".gone": Runtime(
            kind="gone", module="not_a_module", package="gone-runtime", load=load_scale
        ),
    }
    monkeypatch.setattr(exported_model, "_RUNTIMES", runtimes)


def write_exported(folder: Path, content: str = "255", **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    record = {**LABELS, **changes}
    (folder / "labels.json").write_text(json.dumps(record))
    if "/" not in record["file"]:
        (folder / record["file"]).write_text(content)
    return folder


def test_an_exported_model_predicts(tmp_path: Path) -> None:
    folder = write_exported(tmp_path / "exported")
    assert is_exported(folder)
    model = ExportedModel(folder, n_threads=2)
    found = model.probabilities(np.full((3, 8, 6, 3), 51, dtype=np.uint8))
    assert found == pytest.approx(np.array([[0.8, 0.2]] * 3))
    facts = model.facts
    assert (facts.title, facts.kind, facts.class_names) == ("Tuned", "scale", ("dark", "bright"))
    assert facts.settings.shape == (8, 6, 3)
    assert facts.is_calibrated
    assert not facts.explains
    assert model.saliency(np.zeros((8, 6, 3), dtype=np.uint8), 0) is None


@pytest.mark.parametrize("value_range", [None, (100.0, 4095.0)])
def test_photos_are_read_as_the_export_says(
    tmp_path: Path, value_range: tuple[float, float] | None
) -> None:
    recipe = make_recipe()
    recipe = replace(
        recipe, data=replace(recipe.data, background=(200, 10, 90), value_range=value_range)
    )
    wanted = replace(FORMATS["onnx"], file="model.scale")
    write_labels(labels_record(recipe, wanted, "uint8", 1.5, "a run", "Tuned"), tmp_path)
    (tmp_path / "model.scale").write_text("255")
    facts = ExportedModel(tmp_path, n_threads=2).facts
    assert facts.settings == recipe_settings(recipe)
    assert facts.settings.value_range == (None if value_range is None else [100, 4095])
    assert (facts.title, facts.class_names) == ("Tuned", recipe.image.class_names)


@pytest.mark.parametrize(
    ("changes", "content", "message"),
    [
        ({"file": "../model.scale"}, "255", "not the name of a file in this folder"),
        ({"file": "/etc/model.scale"}, "255", "not the name of a file in this folder"),
        ({"file": "up\\model.scale"}, "255", "not the name of a file in this folder"),
        ({"file": ".."}, "255", "not the name of a file in this folder"),
        ({"file": "model.keras"}, "255", "is served as ONNX (.onnx) or LiteRT (.tflite)"),
        ({"file": "model.gone"}, "255", "gone-runtime is not installed"),
        ({"labels": ["one"]}, "255", "labels: List should have at least 2 items"),
        ({"labels": ["a", "b", "c"]}, "255", "names 3 classes"),
        ({"input": {**LABELS["input"], "height": -1}}, "255", "input.height: "),
        ({"input": {**LABELS["input"], "type": "object"}}, "255", "input.type: "),
        ({"input": {**LABELS["input"], "value_range": [9, 1]}}, "255", "which is not a range"),
        ({}, "not a number", "scale cannot run it: could not convert string to float"),
        ({}, "nan", "whose probabilities sum to 1"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, Any], content: str, message: str
) -> None:
    folder = tmp_path / "exported"
    if changes.get("file") in ("..", "/etc/model.scale", "up\\model.scale"):
        folder.mkdir()
        (folder / "labels.json").write_text(json.dumps({**LABELS, **changes}))
    else:
        write_exported(folder, content, **changes)
    with pytest.raises(ConfigurationError) as raised:
        ExportedModel(folder, n_threads=2)
    assert message in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", "[" * 100_000, "\xff", "cos\nsystem\n(S'x'\ntR."]
)
def test_labels_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError) as raised:
        ExportedModel(tmp_path, n_threads=2)
    assert str(tmp_path / "labels.json") in raised.value.message


def test_labels_that_are_too_large_are_refused_as_such(tmp_path: Path) -> None:
    folder = write_exported(tmp_path / "exported", model="x" * 10_000_000)
    with pytest.raises(ConfigurationError) as raised:
        ExportedModel(folder, n_threads=2)
    assert raised.value.message == f"{folder / 'labels.json'}: is larger than 10 MB"


def test_a_missing_model_is_told_with_the_entry_that_names_it(tmp_path: Path) -> None:
    folder = write_exported(tmp_path / "exported")
    (folder / "model.scale").unlink()
    with pytest.raises(ConfigurationError) as raised:
        ExportedModel(folder, n_threads=2)
    assert raised.value.message == (
        f'{folder / "labels.json"}: file is "model.scale", and this folder has no such file'
    )


@pytest.mark.parametrize(
    ("option", "words"), [({"calibrated": True}, "--calibrated"), ({"model": "x"}, "--model")]
)
def test_what_the_export_has_decided_is_no_option(
    tmp_path: Path, option: dict[str, Any], words: str
) -> None:
    folder = write_exported(tmp_path / "exported")
    with pytest.raises(ConfigurationError, match=f"{words} does not apply"):
        serve(ServeOptions(source=folder, **option), lambda text: None, lambda address: None)


def test_nothing_of_what_only_training_needs_is_imported(tmp_path: Path) -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    required = names(parser["options"]["install_requires"])
    serving = names((ROOT / "docs" / "deploy" / "requirements.txt").read_text(encoding="utf-8"))
    modules = {"scikit-learn": "sklearn"}
    training = {modules.get(name, name.replace("-", "_")) for name in required - serving}
    assert {"tensorflow", "keras", "pandas", "sklearn", "scipy", "matplotlib"} <= training
    folder = write_exported(tmp_path / "exported", file="model.other")
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTING, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert {"starlette", "uvicorn", "numpy", "PIL", "tuner"} <= imported
    assert imported & training == set()


_IMPORTING = """
import sys
from pathlib import Path
import tuner.cli.main, tuner.commands.serve, tuner.serving.app, tuner.serving.server
from tuner.errors import ConfigurationError
from tuner.serving.open_model import open_model
from tuner.serving.options import ServeOptions
try:
    open_model(ServeOptions(source=Path(sys.argv[1])), 1)
except ConfigurationError as error:
    assert "is served as ONNX" in error.message
print(*{name.partition(".")[0] for name in sys.modules})
"""


def names(requirements: str) -> set[str]:
    lines = [line.strip() for line in requirements.splitlines()]
    return {
        re.split(r"[<>=!]", line)[0].lower() for line in lines if line and not line.startswith("#")
    }
