"""The examples of CONTRIBUTING.md, put into a copy of the package where the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.documentation.fences import blocks, without_blocks
from tests.documentation.texts import ROOT, read

pytestmark = pytest.mark.slow

# Says what the examples do, each in a line; the search and the training are real.
_CHECK = """
import struct, sys
from pathlib import Path
import numpy as np
import tests.conftest
import tuner
print("package", Path(tuner.__file__).parent.parent == Path.cwd())

from tests.search.fakes import drive, make_study, rung_sizes, settings
trials = drive(make_study(search=settings(9, 3, method="halving")))
print("halving", sorted(rung_sizes(trials).items()))

from tests.report.fixtures import page, recommending, results, trials
shown = page(recommending(results()), trials())
print("section", "The 5 slowest trials took" in shown, shown.count("<caption>The slowest trials"))

from tests.data.samples import make_card
from tuner.data.load import load_images
images = np.arange(2 * 4 * 5, dtype=np.uint8).reshape(2, 4, 5)
Path("images").write_bytes(b"\\0\\0\\x08\\x03" + struct.pack(">3I", 2, 4, 5) + images.tobytes())
Path("labels").write_bytes(b"\\0\\0\\x08\\x01" + struct.pack(">I", 2) + bytes([1, 0]))
card = make_card(
    files={"type": "idx", "images": "images", "labels": "labels"},
    image={"height": 4, "width": 5, "channels": 1},
    class_names=["a", "b"],
)
loaded = load_images(card, Path.cwd())
print("format", (loaded.images[..., 0] == images).all(), loaded.labels.tolist())

from tests.images import SMALL_CNN, image_spec, train_task, training_data
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.executor import Reports
from tuner.execution.make_executor import make_executor
reports = Reports(on_epoch=lambda task, epoch: None)
options = ExecutionOptions(executor="logged")
with make_executor(options, reports, Path("scratch"), Path("log")) as executor:
    executor.add_data("images", training_data(20, 10))
    executor.submit(train_task(task_id="t1"))
    executor.next_result()
print("executor", Path("log").read_text().split(":")[0])

from tuner.models.registry import build
for activation in ("relu", "elu"):
    model = build("cnn", {**SMALL_CNN, "activation": activation}, image_spec())
    print("layers", activation, any(type(one).__name__ == "ELU" for one in model.layers))

from tuner.models.backbones.catalog import BACKBONES
print("backbone", BACKBONES["efficientnet_v2_m"].input_size)
"""
_DOES = """\
package True
halving [((0, 0), 9), ((0, 1), 3), ((0, 2), 1)]
section True 1
format True [1, 0]
executor t1
layers relu False
layers elu True
backbone 480
"""


# A place in a module of the package, and what the page puts there.
_PLACES = {
    "METHODS": ("space/methods.py", "METHODS: Mapping[str, MethodEntry] = {"),
    "SECTIONS": ("report/sections/contents.py", "SECTIONS = ("),
    "LOADERS": ("data/formats/loaders.py", "MappingProxyType(\n    {"),
    "EXECUTORS": ("execution/execution_options.py", "EXECUTORS: Mapping[str, ExecutorEntry] = {"),
    "CNN_TERMS": (
        "space/vocabulary.py",
        "CNN_TERMS: Mapping[str, Term] = MappingProxyType(\n    {",
    ),
    "layers.ReLU()": ("models/cnn.py", "        stack.append(layers.ReLU())"),
    "BACKBONES": ("models/backbones/catalog.py", "        for backbone in ("),
}
# What the page says in words: imports, and a name in a list.
_IN_WORDS = (
    ("report/sections/contents.py", "    search_history,", "    slowest,"),
    (
        "data/formats/loaders.py",
        "from tuner.data.formats.generators import Generated",
        "from tuner.data.formats.idx import Idx",
    ),
    ("space/vocabulary.py", '    "efficientnet_v2_s",', '    "efficientnet_v2_m",'),
)


def examples() -> dict[str, str]:
    """The text of each example by what the sentence before it names last."""
    page, found = read("CONTRIBUTING.md"), dict[str, str]()
    lines = without_blocks(page).splitlines()
    for block in blocks(page):
        if block.language in ("python", "html"):
            *_, name = re.findall(r"`([^`]+)`", " ".join(lines[: block.line]))
            found[name] = block.text
    return found


def entry(name: str, example: str) -> str:
    """An example as it stands in the list that it joins."""
    if name == "BACKBONES":
        return example.strip().removeprefix("(").removesuffix(")")
    comma = "" if example.rstrip().endswith(",") or name == "layers.ReLU()" else ","
    return indent(dedent(example).rstrip() + comma, " " * 8)


def put(module: Path, place: str, text: str) -> None:
    """Put lines behind the one place where this text stands; a statement goes instead of it."""
    source = module.read_text(encoding="utf-8")
    assert source.count(place) == 1, (module, place)
    kept = "" if "stack.append" in place else f"{place}\n"
    module.write_text(source.replace(place, kept + text), encoding="utf-8")


def test_examples_do_what_the_page_says(tmp_path: Path) -> None:
    package = tmp_path / "tuner"
    shutil.copytree(ROOT / "tuner", package, ignore=shutil.ignore_patterns("__pycache__"))
    found = examples()
    assert len(found) == 12
    for name, example in found.items():
        if name in _PLACES:
            module, place = _PLACES[name]
            put(package / module, place, entry(name, example))
        else:
            assert not (tmp_path / name).exists()
            (tmp_path / name).write_text(example, encoding="utf-8")
    for module, place, text in _IN_WORDS:
        put(package / module, place, text)
    shown = subprocess.run(
        [sys.executable, "-c", _CHECK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout == _DOES, shown.stderr[-3000:]
