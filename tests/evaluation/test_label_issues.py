"""Planted wrong labels are found in both parts, from predictions that are there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tests.images import tiny_dataset
from tuner.evaluation import label_issues as module
from tuner.evaluation.label_issues import PredictedPart, label_issues
from tuner.metrics.calibration import tempered
from tuner.records.label_issues import LabelIssues

TEMPERATURE = 2.0


@dataclass(frozen=True, slots=True)
class Planted:
    """What is looked at, and the rows whose labels were made wrong."""

    validation: PredictedPart
    test: PredictedPart

    def found(self) -> tuple[LabelIssues, dict[str, bytes]]:
        return label_issues(tiny_dataset().images, self.validation, self.test, TEMPERATURE)


def planted(wrong_of_validation: int = 2, wrong_of_test: int = 3) -> Planted:
    """Models that know the true class; the first labels of each part are wrong.

    The later a wrong label stands, validation before test, the surer the models are.
    """
    labels = tiny_dataset().images.labels
    surest = iter(np.linspace(0.9, 0.999, wrong_of_validation + wrong_of_test))

    def part(name: str, rows: np.ndarray, n_wrong: int) -> PredictedPart:
        true = labels[rows]
        found = np.where(np.eye(2)[true] == 1, 0.8, 0.2)
        for at in range(n_wrong):
            share = next(surest)
            found[at] = np.where(np.eye(2)[true[at]] == 1, share, 1 - share)
        given = true.copy()
        given[:n_wrong] = 1 - given[:n_wrong]
        return PredictedPart(part=name, rows=rows, labels=given, probabilities=found)  # type: ignore[arg-type]

    return Planted(
        part("validation", np.arange(48, 64), wrong_of_validation),
        part("test", np.arange(64, 88), wrong_of_test),
    )


def test_planted_labels_are_shown_by_part_and_the_most_doubtful_first() -> None:
    found, pictures = planted().found()
    assert [one.part for one in found.shown] == ["test"] * 3 + ["validation"] * 2
    assert [one.origin for one in found.shown] == [f"row {row}" for row in (66, 65, 64, 49, 48)]
    assert (found.n_validation, found.n_test) == (16, 24)
    assert (found.n_validation_flagged, found.n_test_flagged) == (2, 3)
    assert sorted(one.picture for one in found.shown) == sorted(pictures)


def test_probabilities_and_classes_are_those_after_the_temperature() -> None:
    given = planted()
    found, _ = given.found()
    labels, after = given.test.labels, tempered(given.test.probabilities, TEMPERATURE)
    for at, one in zip((2, 1, 0), found.shown, strict=False):
        assert (one.given, one.suggested) == (labels[at], 1 - labels[at])
        assert one.given_probability == pytest.approx(after[at, labels[at]])
        assert one.suggested_probability == pytest.approx(after[at, 1 - labels[at]])
    assert found.shown[0].given_probability > 1 - 0.999


def test_right_labels_are_not_shown() -> None:
    found, pictures = planted(0, 0).found()
    assert found.shown == ()
    assert pictures == {}
    assert found.n_validation_flagged == found.n_test_flagged == 0


def test_each_part_shows_its_own_most_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SHOWN", 2)
    found, _ = planted(4, 5).found()
    assert [one.part for one in found.shown] == ["test"] * 2 + ["validation"] * 2
    assert [one.origin for one in found.shown] == ["row 68", "row 67", "row 51", "row 50"]
    assert (found.n_validation_flagged, found.n_test_flagged) == (4, 5)
