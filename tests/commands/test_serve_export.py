"""`serve` of what `export` wrote, by the runtimes of the formats, in processes of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import HOSTILE_CLASSES, call
from tests.commands.finished import Finished
from tests.commands.serving import post, serving

pytestmark = pytest.mark.slow


def exported(finished: Finished, folder: Path, name: str) -> Path:
    shown = call("export", finished.folder, "--format", name, "--out", folder, cwd=finished.place)
    assert shown.code == 0, shown.err
    return folder


def photos(finished: Finished) -> list[Path]:
    return [finished.place / "my photos" / name / "03.png" for name in HOSTILE_CLASSES]


def predicted(finished: Finished, images: Sequence[Path]) -> list[dict[str, Any]]:
    """What `predict` says of the run's own model; exports are always calibrated."""
    shown = call("predict", finished.folder, *images, "--json", "--calibrated", cwd=finished.place)
    return shown.records


@pytest.mark.parametrize(
    ("name", "workers"), [("onnx", "1"), ("onnx", "2"), ("litert", "1"), ("litert", "2")]
)
def test_an_exported_model_answers_as_predict_does(
    finished: Finished, tmp_path: Path, name: str, workers: str
) -> None:
    folder = exported(finished, tmp_path / "exported", name)
    images = photos(finished)
    with serving(finished, folder, "--workers", workers) as (process, address):
        answers = [post(address, image.read_bytes()) for image in images]
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, f"model: {folder}\nStopped.\n")
    for (status, answer), record in zip(answers, predicted(finished, images), strict=True):
        assert status == 200
        (found,) = answer["predictions"]  # type: ignore[misc]
        assert found["class"] == record["class"]
        assert found["probabilities"] == pytest.approx(record["probabilities"], abs=1e-4)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_model_that_does_not_fit_ends_the_command(
    finished: Finished, tmp_path: Path, workers: str
) -> None:
    folder = exported(finished, tmp_path / "exported", "onnx")
    record = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    (folder / record["file"]).write_bytes(b"no model")
    with serving(finished, folder, "--workers", workers) as (process, address):
        _, err = process.communicate(timeout=120)
    assert (process.returncode, address) == (2, "")
    assert f"{folder / record['file']}: onnxruntime cannot run it: " in err
    assert "\n  Fix: export the model again" in err
