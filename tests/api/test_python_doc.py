"""The examples of docs/python.md, in their order, up to where training would begin."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tuner
from tuner.api import run as run_module
from tuner.api.calling import Call
from tuner.api.finished_run import FinishedRun
from tuner.pipeline.preparation.prepare import PreparedRun, prepare

TEXT = (Path(tuner.__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def files(folder: Path) -> tuple[list[str], list[str]]:
    rng, paths = np.random.default_rng(0), []
    for number in range(60):
        paths.append(str(folder / f"{number}.png"))
        pixels = rng.integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(paths[-1])
    return paths, [["cat", "dog"][number % 2] for number in range(60)]


@pytest.mark.slow
def test_examples_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[PreparedRun] = []

    def begin(dataset: str, call: Call) -> FinishedRun:
        execution = replace(call.options.execution, executor="inline")
        options = replace(call.options, dataset=dataset, execution=execution)
        prepared.append(prepare(options, lambda event: None, examines_data=True))
        made = FinishedRun.__new__(FinishedRun)
        made.folder = Path(os.fspath(options.out))
        return made

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_module, "call_run", begin)
    paths, labels = files(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__", "paths": paths, "labels": labels}
    for example in EXAMPLES:
        exec(compile(example, "<cell>", "exec", dont_inherit=True), names)
    assert [one.card.name for one in prepared] == [
        "drawn_faces", "sklearn_digits", "pets", "batched", "arrays",
    ]  # fmt: skip
    assert [one.name for one in prepared[-1].file.space.parameters] == [
        "blocks", "filters_0", "rate", "filters_1",
    ]  # fmt: skip
    assert prepared[2].dataset.spec.class_names == ("cat", "dog")
    assert Path("small.yaml").is_file()
