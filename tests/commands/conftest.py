"""One finished run that many tests look at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.calling import Outcome, call, write_photos, write_space
from tests.commands.finished import Finished, made_once
from tests.kept_models import kept_models
from tests.local_server import address
from tests.shared_folder import shared_folder

__all__ = ["address", "copied", "finished", "kept_models", "only_run", "place", "whole_run"]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a space and a folder of class folders.

    One of the folder's files is unreadable, and one is no image.
    """
    folder = tmp_path_factory.mktemp("place")
    photos = write_photos(folder / "my photos")
    first = sorted(photos.iterdir())[0]
    (first / "zz broken.png").write_bytes(b"no image")
    (first / "zz notes \x1b[2J.txt").write_text("notes")
    write_space(folder)
    return folder


@pytest.fixture(scope="session")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A whole run there, made once for all processes of the tests."""
    kept = shared_folder(tmp_path_factory) / "finished"
    return Finished(place=place, outcome=made_once(kept, place, whole_run))


@pytest.fixture
def only_run(finished: Finished, tmp_path: Path) -> Finished:
    """The run in a place of its own, where it is the latest one whatever other tests have run."""
    place = tmp_path / "place"
    shutil.copytree(finished.place, place, ignore=shutil.ignore_patterns("reports"))
    shutil.copytree(finished.path, place / finished.folder)
    return Finished(place=place, outcome=finished.outcome)


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    """A copy of the place, which a test may change; its run is in `run`."""
    shutil.copytree(finished.place / "my photos", tmp_path / "my photos")
    shutil.copytree(finished.path, tmp_path / "run")
    return tmp_path


def whole_run(place: Path, *arguments: str, executor: str = "inline") -> Outcome:
    """Run everything on the photos."""
    common = ("--space", "tiny.yaml", "--seed", "3", "--executor", executor)
    return call("run", "./my photos", *common, *arguments, cwd=place)
