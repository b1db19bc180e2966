"""predict.py reads photos as `predict` does."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from tests.store.recipes import make_recipe
from tuner.data.decoding.decode import decode
from tuner.data.decoding.image_settings import ImageSettings
from tuner.exports.formats import FORMATS
from tuner.exports.labels_file import labels_record
from tuner.exports.predict_script import NAME, predict_script
from tuner.production.exported_labels import read_labels, write_labels

EXIF_ORIENTATION = 0x0112


class Session:
    """In the place of ONNX Runtime's: keeps the images that it is given."""

    taken: ClassVar[list[np.ndarray]] = []

    def __init__(self, path: str) -> None:
        assert path.endswith("model.onnx")

    def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert names is None
        self.taken.append(inputs["images"])
        return [np.array([[0.25, 0.75]])]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Session]]:
    runtime: Any = ModuleType("onnxruntime")
    runtime.InferenceSession = Session
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    Session.taken.clear()
    yield Session
    Session.taken.clear()


def write_kinds(folder: Path) -> list[Path]:
    """Photos of many kinds, larger and smaller than what a model takes."""
    generator = np.random.default_rng(0)
    small = generator.integers(0, 256, size=(37, 53, 3), dtype=np.uint8)
    photo = Image.fromarray(small).resize((530, 370), Image.Resampling.BICUBIC)
    turned = Image.Exif()
    turned[EXIF_ORIENTATION] = 6
    clear = photo.convert("RGBA")
    clear.putalpha(Image.fromarray(generator.integers(0, 256, size=(370, 530), dtype=np.uint8)))
    palette = photo.resize((60, 40)).quantize(16)
    palette.info["transparency"] = 3
    photo.save(folder / "a.jpg", quality=90)
    photo.save(folder / "turned.jpg", exif=turned)
    photo.convert("CMYK").save(folder / "cmyk.jpg")
    photo.convert("L").save(folder / "grey.jpg")
    clear.save(folder / "clear.png")
    clear.convert("LA").save(folder / "grey and clear.png")
    palette.save(folder / "palette.png", transparency=3)
    photo.resize((3, 3)).convert("1").save(folder / "tiny.png")
    photo.save(folder / "b.webp")
    palette.save(folder / "c.gif")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_those_of_predict(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    session: type[Session],
    capsys: pytest.CaptureFixture[str],
    channels: int,
) -> None:
    (tmp_path / "photos").mkdir()
    photos = write_kinds(tmp_path / "photos")
    recipe = make_recipe()
    spec = replace(recipe.image, height=24, width=40, channels=channels)
    data = replace(recipe.data, background=(200, 10, 90))
    recipe = replace(recipe, image=spec, data=data)
    record = labels_record(recipe, FORMATS["onnx"], "uint8", None, "run", "Tuned")
    write_labels(record, tmp_path)
    script = tmp_path / NAME
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, photos)])
    exec(compile(predict_script(FORMATS["onnx"]), script, "exec"), {"__file__": str(script)})
    settings = ImageSettings(
        height=24, width=40, channels=1 if channels == 1 else 3, background=[200, 10, 90]
    )
    for photo, images in zip(photos, session.taken, strict=True):
        np.testing.assert_array_equal(images[0], decode(photo, settings), err_msg=photo.name)
    label = recipe.image.class_names[1]
    assert capsys.readouterr().out.splitlines() == [f"{photo}: {label} 0.7500" for photo in photos]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_imports_nothing_but_numpy_pillow_and_the_runtime(name: str) -> None:
    tree = ast.parse(predict_script(FORMATS[name]))
    found = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    roots = {module.partition(".")[0] for module in found}
    assert roots == {"json", "sys", "pathlib", "numpy", "PIL", FORMATS[name].runtime}


def test_labels_file_says_what_the_script_needs(tmp_path: Path) -> None:
    recipe = make_recipe()
    record = labels_record(recipe, FORMATS["litert"], "float32", 1.5, "a run", "Tuned")
    write_labels(record, tmp_path)
    read = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))
    assert (read["file"], read["model"], read["run"]) == ("model.tflite", "Tuned", "a run")
    assert read["labels"] == list(recipe.image.class_names)
    spec = recipe.image
    assert read["input"] == {
        "name": "images",
        "shape": [None, *spec.shape],
        "type": "float32",
        "range": [0, 255],
        "height": spec.height,
        "width": spec.width,
        "channels": spec.channels,
        "colour": "grey" if spec.channels == 1 else "RGB",
        "background": [255, 255, 255],
    }
    assert read_labels(tmp_path) == record
