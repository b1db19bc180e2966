"""Finished runs that the tests of the Python API load."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calling import call, write_space
from tests.commands.conftest import finished, place
from tests.commands.finished import Finished, made_once
from tests.kept_models import kept_models
from tests.shared_folder import shared_folder
from tuner.api.finished_run import FinishedRun

__all__ = ["digits", "finished", "in_digits", "kept_models", "place", "run"]


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A whole run on the digits, against their baseline, in a working directory of its own.

    It is made once for all processes of the tests.
    """
    place = tmp_path_factory.mktemp("digits place")
    write_space(place, "compare: []", "compare: [baseline]")
    words = ("--space", "tiny.yaml", "--executor", "inline", "--limit", "200")
    kept = shared_folder(tmp_path_factory) / "digits"
    outcome = made_once(kept, place, lambda cwd: call("run", "digits", *words, cwd=cwd))
    return Finished(place=place, outcome=outcome)


@pytest.fixture
def in_digits(digits: Finished) -> Iterator[Path]:
    """The working directory of the run on the digits."""
    before = Path.cwd()
    os.chdir(digits.place)
    try:
        yield digits.place
    finally:
        os.chdir(before)


@pytest.fixture
def run(finished: Finished) -> FinishedRun:
    """The run on the photos with hostile names, loaded."""
    return FinishedRun(finished.path)
