"""Commands of README and docs that need no training are executed; `PARSED_ONLY` lists the others.

`test_commands.py` parses all of them. docs/photos_to_phone.md and the notebooks are executed as
wholes by slow tests (`tests/commands/test_photos_to_phone.py`, `tests/test_notebooks.py`).
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml

from tests.cli.calling import call, write_photos
from tests.documentation.test_commands import commands, words
from tests.documentation.texts import MARKDOWN, files, read
from tests.pipeline.outputs.test_all_runs import TESTED, make_run
from tests.report.fixtures import trials
from tuner.cli.commands import cli
from tuner.records.trial import Trial
from tuner.space.parsing.parse import load_space
from tuner.store.trial_tables import TrialTables

# Command to the reason that its lines are parsed and not executed here.
PARSED_ONLY = {
    "export": "needs a trained model and a converter; see tests/commands/test_export.py",
    "labels": "trains; see tests/commands/test_labels.py",
    "plan": "trains a few steps of several models; see tests/commands/test_plan.py",
    "predict": "needs a trained model; see tests/commands/test_predict.py",
    "run": "trains; see tests/commands/test_run.py",
    "serve": "needs a trained model and runs until it is stopped; see tests/commands/test_serve.py",
    "track": "needs the packages of the trackers; see tests/commands/test_track.py",
    "train": "trains; see tests/commands/test_train.py",
}
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


def found() -> list[str]:
    """Each command of the docs once."""
    lines = (line for path in files(MARKDOWN) for line in commands(read(path)))
    return sorted({line for line in lines if line and not line.startswith("-")})


EXECUTED = [line for line in found() if words(line)[0] not in PARSED_ONLY]


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
    code, explanation = REFUSED.get(line, (0, ""))
    shown = call(*arguments, cwd=place)
    assert shown.code == code, f"{line}\n{shown.err}"
    assert explanation in shown.err


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_shows_its_help(name: str, tmp_path: Path) -> None:
    shown = call(name, "-h", cwd=tmp_path)
    assert (shown.code, shown.err) == (0, "")
    assert f"tuner {name}" in shown.out


def test_what_is_only_parsed_is_in_the_docs_and_a_command() -> None:
    used = {words(line)[0] for line in found()}
    assert set(PARSED_ONLY) <= used & set(cli.commands)


def test_commands_of_each_executed_kind_are_found() -> None:
    assert {words(line)[0] for line in EXECUTED} == {
        *("compare", "datasets", "refine", "report", "validate")
    }
    assert set(REFUSED) <= set(EXECUTED)
