"""Commands of README and docs that need no training are executed; every other line has its place.

`test_commands.py` parses all of them. `test_trained_commands.py` executes commands that need a
trained model, `test_scripts.py` the scripts, and `tests/test_notebooks.py` the notebooks.
`NOT_EXECUTED` in `command_lines.py` gives the reason for the others.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml

from tests.cli.calling import call, write_photos
from tests.documentation.command_lines import (
    NEED_TRAINING,
    NOT_EXECUTED,
    PROGRAMS,
    WHOLE_PAGES,
    TypedLine,
    commands,
    reason,
    typed,
    words,
)
from tests.documentation.texts import MARKDOWN, files, read
from tests.pipeline.outputs.test_all_runs import TESTED, make_run
from tests.report.fixtures import trials
from tuner.cli.commands import cli
from tuner.records.trial import Trial
from tuner.space.parsing.parse import load_space
from tuner.store.trial_tables import TrialTables

# What stands for any run, file or folder in the docs.
STANDS_FOR = {
    "RUN": "my_photos",
    "FILE": "space.yaml",
    "DIR": "figures",
    "datasets/<name>.yaml": "datasets/mine.yaml",
}
# The exit code where it is not 0, with the words that explain it.
REFUSED = {"datasets check fer2013": (4, "fer2013: the data are missing")}
# The hyperparameters of `tests.report.fixtures`, within the ranges of the family.
MOST_DROPOUT = 0.9
PARAMETERS = tuple(
    replace(one, high=MOST_DROPOUT) if one.name == "dropout" else one
    for one in TESTED.search.parameters
)
SPACE = """\
version: 1
model: cnn
space:
  conv_blocks: 1
  filters_0: {type: choice, values: [32, 64]}
  dropout: {type: float, min: 0.0, max: 0.9}
  optimizer: [sgd, adam]
"""
CARD = """\
name: mine
title: My photos
files: {type: class_folders, path: my_photos}
image: {height: 8, width: 8, channels: 1}
class_names: [cat, dog]
"""


def executed() -> Iterator[str]:
    """Each command of the docs that needs no training, once."""
    seen = set[tuple[str, ...]]()
    for line in (line for path in files(MARKDOWN) for line in commands(read(path))):
        given = tuple(words(line)) if line and not line.startswith("-") else ()
        skipped = not given or given[0] in NEED_TRAINING or reason(f"python -m tuner {line}")
        if not skipped and given not in seen:
            seen.add(given)
            yield line


EXECUTED = sorted(executed())


def _within(trial: Trial) -> Trial:
    dropout = MOST_DROPOUT * float(trial.values["dropout"])
    return replace(trial, values={**trial.values, "dropout": dropout})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working directory with photos, an archive, a space, a card and a finished run."""
    photos = write_photos(tmp_path / "my_photos", ("cat", "dog"), size=16)
    shutil.copytree(photos, tmp_path / "photos")
    shutil.make_archive(str(photos), "zip", photos)
    (tmp_path / "space.yaml").write_text(SPACE, encoding="utf-8")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.yaml").write_text(CARD, encoding="utf-8")
    # `words` writes 1 for a variable of the shell, such as $HOME.
    for root in (tmp_path, tmp_path / "1"):
        space = yaml.safe_load(yaml.safe_dump(asdict(load_space(tmp_path / "space.yaml"))))
        config = {"identity": {"data": {"test": "one"}, "space": space}}
        run = make_run(root, "reports/my_photos/20260101-000000-00000000", config)
        run.write_results(replace(TESTED, search=replace(TESTED.search, parameters=PARAMETERS)))
        TrialTables(run.path, TESTED.search.searched).rewrite([_within(one) for one in trials()])
    return tmp_path


# Drawing every chart as SVG and PNG takes several times as long as the others together.
CASES = [
    pytest.param(line, marks=[pytest.mark.slow] if "--figures" in line else [], id=line)
    for line in EXECUTED
]


@pytest.mark.parametrize("line", CASES)
def test_a_command_of_the_docs_does_its_work(line: str, place: Path) -> None:
    arguments = [STANDS_FOR.get(word, word) for word in words(line)]
    code, explanation = REFUSED.get(" ".join(words(line)), (0, ""))
    shown = call(*arguments, cwd=place)
    assert shown.code == code, f"{line}\n{shown.err}"
    assert explanation in shown.err


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_shows_its_help(name: str, tmp_path: Path) -> None:
    shown = call(name, "-h", cwd=tmp_path)
    assert (shown.code, shown.err) == (0, "")
    assert f"tuner {name}" in shown.out


def has_its_place(line: TypedLine) -> bool:
    """Whether a test executes a line, or `NOT_EXECUTED` says why none does."""
    if line.reason or line.page in WHOLE_PAGES or line.is_of_script:
        return True
    if line.command is not None:
        return words(line.command)[0] in cli.commands
    return any(re.search(pattern, line.text) for pattern in PROGRAMS)


def test_each_line_that_you_type_is_executed_or_has_a_reason() -> None:
    lost = [
        f"{line.page}:{line.number}: {line.text}" for line in typed() if not has_its_place(line)
    ]
    assert not lost, "execute these lines, or give a reason in command_lines.py"


def test_a_line_without_a_place_is_found() -> None:
    line = TypedLine(page="README.md", number=1, text="rm -r reports", is_of_script=False)
    assert not has_its_place(line)
    assert has_its_place(replace(line, text="python -m pip install tuner"))


def test_each_reason_and_each_program_has_a_line() -> None:
    texts = [line.text for line in typed()]
    for pattern in (*NOT_EXECUTED, *PROGRAMS):
        assert any(re.search(pattern, text) for text in texts), pattern
    assert set(WHOLE_PAGES) <= {line.page for line in typed()}


def test_requirements_without_tensorflow_are_those_of_the_package(tmp_path: Path) -> None:
    (line,) = {line.text for line in typed() if line.text.startswith("python -c ")}
    typed_line = re.sub("^python", shlex.quote(sys.executable), line)
    subprocess.run(typed_line, shell=True, cwd=tmp_path, check=True)
    names = re.findall(r"^[\w-]+", (tmp_path / "needs.txt").read_text("utf-8"), re.MULTILINE)
    assert {"keras", "keras-tuner", "numpy"} <= set(names)
    assert not {"tensorflow", "pytest"} & set(names)


def test_commands_of_each_executed_kind_are_found() -> None:
    assert {words(line)[0] for line in EXECUTED} == set(cli.commands) - set(NEED_TRAINING)
    assert set(REFUSED) <= set(EXECUTED)
