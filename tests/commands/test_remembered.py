"""A run that begins with the winners of earlier runs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.calling import write_photos, write_space
from tests.commands.test_resume import OPTIONS, end, interrupt
from tuner.records.events import TrialEnded

pytestmark = pytest.mark.slow


# What a run's models are worth has no say here.
SHORT = ("retrain.epochs=1", "retrain.seeds=1")


def origins(run: Path) -> list[str]:
    with open(run / "trials.csv", newline="", encoding="utf-8") as file:
        return [row["origin"] for row in csv.DictReader(file) if row["origin"]]


def test_a_run_keeps_the_winners_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_space(tmp_path)
    write_photos(tmp_path / "my photos")
    write_photos(tmp_path / "pets", ("cat", "dog"))
    earlier = replace(OPTIONS, dataset="./pets", overrides=SHORT)
    first = end(earlier).folder.path
    asked = replace(OPTIONS, overrides=(*SHORT, "start_from=[auto]"))
    stopped = interrupt(asked, TrialEnded).folder
    # Another winner, which a new run would take as well.
    end(replace(earlier, seed=4, overrides=(*SHORT, "space.filters=12")))
    resumed = end(asked)
    assert resumed.folder.path == stopped.path
    assert origins(stopped.path) == [f"pets/{first.name}"]
    page = (stopped.path / "report.html").read_text(encoding="utf-8")
    assert f"pets/{first.name}" in page
    assert json.loads((stopped.path / "results.json").read_text())["search"]["n_trials"] > 1
    end(replace(asked, resume=False))
    (newest,) = sorted((tmp_path / "reports" / "my_photos").iterdir())[1:]
    # The winners of both others, and of the same data's own run before it.
    assert len(origins(newest)) == 3
