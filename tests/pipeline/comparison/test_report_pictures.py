"""Pictures and likely wrong labels of the report: what fails takes nothing else along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images import tiny_dataset
from tests.pipeline.comparison.jobs import job
from tests.pipeline.comparison.test_recommending import trained
from tuner.evaluation import label_issues
from tuner.evaluation.explain import explained_images
from tuner.evaluation.kept_model import KeptModel
from tuner.evaluation.sealed import open_test
from tuner.evaluation.temperature import fitted_temperature
from tuner.pipeline.comparison.scoring import _pictures
from tuner.records.events import Event, Notice

GALLERY, MAPS = object(), object()


def failing(*arguments: Any) -> Any:
    raise RuntimeError("out of memory")


def pictures_of(folder: Path, events: list[Event]) -> tuple[Any, set[str]]:
    """What the report gets of a model that is sure of the other class for one test image."""
    dataset = tiny_dataset()
    run = job(folder, events)
    test, rows = open_test(dataset), dataset.split.folds[0].validation
    validated = np.where(np.eye(2)[dataset.images.labels[rows]] == 1, 0.9, 0.1)
    tested = np.where(np.eye(2)[test.labels] == 1, 0.9, 0.1)
    tested[0] = 1 - tested[0]
    (training,) = trained([0.5])
    kept = KeptModel(
        training=training,
        model=None,
        function=failing,
        temperature=fitted_temperature(dataset.images.labels[rows], validated),
        found=validated,
    )
    found = _pictures(run, kept, test, tested)
    return found, {path.stem for path in run.folder.gallery.iterdir()}


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


def test_both_are_written_where_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = (GALLERY, MAPS, {"mistake-01.png": b"picture"})
    monkeypatch.setattr(explained_images, "make_pictures", lambda *arguments: drawn)
    events: list[Event] = []
    (gallery, maps, issues), files = pictures_of(tmp_path, events)
    assert (gallery, maps, issues.n_test_flagged) == (GALLERY, MAPS, 1)
    assert files == {"mistake-01", "label-01"}
    assert texts(events) == []


def test_likely_wrong_labels_outlive_pictures_that_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explained_images, "make_pictures", failing)
    events: list[Event] = []
    (gallery, maps, issues), files = pictures_of(tmp_path, events)
    assert (gallery, maps, issues.n_test_flagged) == (None, None, 1)
    assert files == {"label-01"}
    (told,) = texts(events)
    assert told.startswith("the report has no pictures: ")
    assert "out of memory" in told


def test_pictures_outlive_likely_wrong_labels_that_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = (GALLERY, MAPS, {"mistake-01.png": b"picture"})
    monkeypatch.setattr(explained_images, "make_pictures", lambda *arguments: drawn)
    monkeypatch.setattr(label_issues, "label_issues", failing)
    events: list[Event] = []
    found, files = pictures_of(tmp_path, events)
    assert found == (GALLERY, MAPS, None)
    assert files == {"mistake-01"}
    (told,) = texts(events)
    assert told.startswith("the report has no likely wrong labels: ")
    assert "out of memory" in told
