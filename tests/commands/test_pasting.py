"""What a run's page offers for pasting: it passes `validate`, and runs as it stands."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.calling import call
from tests.commands.finished import Finished
from tuner.cli.commands import cli

pytestmark = pytest.mark.slow

CODE = re.compile(r'<pre [^>]*aria-labelledby="([^"]+)"><code>(.*?)</code></pre>', re.DOTALL)


def pasted(finished: Finished) -> dict[str, str]:
    """Each piece of code of the page, by the id of its heading."""
    page = (finished.path / "report.html").read_text(encoding="utf-8")
    return {name: html.unescape(code) for name, code in CODE.findall(page)}


def test_yaml_is_a_space_that_run_takes(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "pasted.yaml").write_text(pasted(finished)["snippet-yaml"], encoding="utf-8")
    checked = call("validate", "pasted.yaml", cwd=tmp_path)
    assert (checked.code, checked.out, checked.err) == (0, "pasted.yaml: valid\n", "")
    space = tmp_path / "pasted.yaml"
    arguments = (
        "--space",
        space,
        "--search-only",
        "--max-epochs",
        "1",
        "--executor",
        "inline",
        "--out",
        tmp_path,
    )
    shown = call("run", "./my photos", *arguments, cwd=finished.place)
    assert shown.code == 0
    assert "  trial 0000 (1 of 1): " in shown.err


def test_python_runs_where_the_run_was_started(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.place)
    images = np.random.default_rng(0).integers(0, 256, size=(12, 8, 8, 1)).astype("float32")
    names: dict[str, Any] = {"images": images, "labels": np.arange(12) % 3}
    exec(pasted(finished)["snippet-python"], names)
    assert names["model"].predict(images, verbose=0).shape == (12, 3)


def test_each_command_is_one_that_the_command_line_takes(finished: Finished) -> None:
    lines = [code for name, code in pasted(finished).items() if code.startswith("python -m tuner ")]
    assert lines
    for line in lines:
        name, *arguments = shlex.split(line)[3:]
        context = cli.commands[name].make_context(name, arguments)
        where = context.params.get("source") or context.params.get("run")
        if where is not None:
            assert (finished.place / where / "best.yaml").is_file()
        else:
            assert (finished.place / str(context.params["dataset"])).is_dir()
