"""Commands and Python of the docs that train or need a trained model, in the order of the pages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.commands.test_export import run_script
from tests.documentation.command_lines import (
    NEED_TRAINING,
    WHOLE_PAGES,
    TypedLine,
    typed,
    words,
)
from tests.documentation.fences import blocks
from tests.documentation.sandbox import Sandbox, make_sandbox
from tests.documentation.texts import read
from tuner.api import run as run_module
from tuner.api.calling import Call, call_run
from tuner.api.finished_run import FinishedRun

pytestmark = pytest.mark.slow

SERVICE = "serve"


def is_executed(line: TypedLine) -> bool:
    """Whether this module executes it."""
    if line.reason or line.page in WHOLE_PAGES or line.command is None:
        return False
    kind = words(line.command)[0]
    return kind in NEED_TRAINING and kind != SERVICE


LINES = [line for line in typed() if is_executed(line)]
PAGES = sorted({line.page for line in LINES})


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return make_sandbox(tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_do_their_work(page: str, sandbox: Sandbox) -> None:
    for line in LINES:
        if line.page == page:
            before, _, _ = line.text.rpartition(" | ")
            assert line.command is not None
            shown = sandbox.execute(line.command, before)
            assert shown.code == 0, f"{page}:{line.number}: {line.text}\n{shown.err}"


@pytest.fixture
def for_web(sandbox: Sandbox) -> Path:
    """The folder that the commands of docs/export.md write."""
    shown = sandbox.execute("export my_photos --format onnx --out for_web")
    assert shown.code == 0, shown.err
    return sandbox.place / "for_web"


def test_script_of_an_export_prints_what_the_page_shows(sandbox: Sandbox, for_web: Path) -> None:
    page = read("docs/export.md")
    assert "$ python for_web/predict.py photo.jpg\nphoto.jpg: cat 0.9731\n" in page
    (line,) = run_script(for_web, sandbox.place / "photo.jpg")
    assert re.fullmatch(r".*photo\.jpg: (cat|dog) [01]\.\d{4}", line)


def python(page: str) -> str:
    """The Python of a page, which has one block."""
    (text,) = [one.text for one in blocks(read(page)) if one.language == "python"]
    return text


@pytest.fixture
def names(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The names of a script in the working directory."""
    monkeypatch.chdir(sandbox.place)
    yield {"__name__": "__main__"}


def test_python_of_the_readme_trains(
    sandbox: Sandbox, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    report = sandbox.execute("run digits --preset quick").out.strip()
    monkeypatch.chdir((sandbox.place / report).parent)
    names |= {"images": digits.images[:40, ..., None], "labels": digits.target[:40]}
    exec(python("README.md"), names)
    assert len(names["model"].history.history["loss"]) == names["recipe"].epochs
    assert names["model"].predict(names["images"], verbose=0).shape == (40, 10)


@pytest.mark.usefixtures("sandbox")
def test_python_of_the_colab_page_shows_the_report(names: dict[str, Any]) -> None:
    *_, shows = python("docs/colab.md").strip().splitlines()
    exec(python("docs/colab.md"), names)
    assert "<title>" in eval(shows, names).data


def test_python_of_the_export_page_classifies(
    sandbox: Sandbox, for_web: Path, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    monkeypatch.chdir(for_web)
    exec(python("docs/export.md"), names)
    images = np.zeros((3, 16, 16, 1), np.uint8)
    assert set(names["classify"](images)) <= {"cat", "dog"}


@pytest.mark.usefixtures("sandbox")
def test_python_of_the_python_page_searches(
    names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[FinishedRun] = []

    def shorter(dataset: str, call: Call) -> FinishedRun:
        """The call with one trial of one epoch, as the command lines above."""
        execution = replace(call.options.execution, executor="inline")
        short = {"max_trials": 1, "max_epochs": 1, "limit": 60, "search_only": True}
        options = replace(call.options, execution=execution, out=Path("elsewhere"), **short)
        runs.append(call_run(dataset, replace(call, options=options, is_quiet=True)))
        return runs[-1]

    monkeypatch.setattr(run_module, "call_run", shorter)
    paths = sorted(Path("my_photos").rglob("*.png"))
    names |= {"paths": [str(path) for path in paths], "labels": [one.parent.name for one in paths]}
    for block in blocks(read("docs/python.md")):
        if block.language == "python":
            exec(compile(block.text, "<cell>", "exec", dont_inherit=True), names)
    assert [run.folder.parent.name for run in runs] == [
        "drawn_faces", "sklearn_digits", "pets", "batched", "arrays",
    ]  # fmt: skip
    assert all(run.trials["score"].notna().all() for run in runs)
    assert {"values.blocks", "values.rate"} <= set(runs[-1].trials)
    assert Path("small.yaml").is_file()


@pytest.fixture
def address(sandbox: Sandbox) -> Iterator[str]:
    """Where a service of its own answers, without a token as on the page."""
    (line,) = {line.command for line in typed() if line.text.endswith("serve RUN")}
    assert line is not None
    command = [sys.executable, "-m", "tuner", *sandbox.arguments(line), "--port", "0"]
    clean = {name: value for name, value in os.environ.items() if name != "TUNER_SERVE_TOKEN"}
    with subprocess.Popen(command, cwd=sandbox.place, env=clean, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip().rstrip("/")
        finally:
            process.kill()


def test_calls_of_the_serving_page_are_answered(sandbox: Sandbox, address: str) -> None:
    calls = [line.text for line in typed() if line.text.startswith("curl ")]
    answers = []
    for call in calls:
        assert "http://127.0.0.1:8000/" in call
        here = call.replace("http://127.0.0.1:8000", address)
        answers.append(json.loads(subprocess.check_output(here, shell=True, cwd=sandbox.place)))
    assert [[one["image"] for one in answer["predictions"]] for answer in answers] == [
        ["image"],
        ["one.jpg", "two.png"],
    ]
    assert all("saliency" in one for one in answers[1]["predictions"])
