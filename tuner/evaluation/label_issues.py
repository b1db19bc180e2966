"""Likely wrong labels among images that validated or tested, from predictions that are there.

The test labels are open by then: every choice of the run has been made, and this makes none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.data.images import Images
from tuner.evaluation.explain.drawing import PictureFiles, thumbnail
from tuner.evaluation.explain.explained_images import shown_origin
from tuner.metrics.calibration import tempered
from tuner.metrics.confident_learning import LabelDoubts, find_doubts
from tuner.records.label_issues import LabelIssues, Part, SuspectLabel

# Of each part.
MAX_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictedPart:
    """What a model says of images that it did not train on.

    Attributes:
        part: `validation` or `test`.
        rows: Their numbers in the data set, (n,).
        labels: Their class numbers, (n,).
        probabilities: (n, classes).
    """

    part: Part
    rows: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray


def label_issues(
    images: Images, validation: PredictedPart, test: PredictedPart, temperature: float
) -> tuple[LabelIssues, dict[str, bytes]]:
    """Rank the labels of both parts together, and draw the most doubtful of each.

    Args:
        images: The data set.
        validation: The images that chose the epoch of the model, which is no training on them.
        test: The test images.
        temperature: Fitted on the validation images.

    Returns:
        What is shown; the pictures by file name.
    """
    parts = np.repeat([0, 1], [len(validation.rows), len(test.rows)])
    rows = np.concatenate([validation.rows, test.rows])
    labels = np.concatenate([validation.labels, test.labels])
    found = np.concatenate([validation.probabilities, test.probabilities])
    probabilities = tempered(found, temperature)
    doubts = find_doubts(labels, probabilities)
    pictures = PictureFiles()

    def suspect(at: int, stem: str) -> SuspectLabel:
        return SuspectLabel(
            origin=shown_origin(images.origins[rows[at]]),
            part=(validation.part, test.part)[parts[at]],
            given=int(labels[at]),
            suggested=int(doubts.suggested[at]),
            given_probability=float(probabilities[at, labels[at]]),
            suggested_probability=float(probabilities[at, doubts.suggested[at]]),
            picture=pictures.add(stem, thumbnail(images.images[rows[[at]]][0])),
        )

    shown = [
        suspect(at, f"label-{rank:02d}") for rank, at in enumerate(_most_doubtful(doubts, parts), 1)
    ]
    n_flagged = np.bincount(parts[doubts.is_flagged], minlength=2).tolist()
    return LabelIssues(
        n_validation=len(validation.rows),
        n_test=len(test.rows),
        n_validation_flagged=n_flagged[0],
        n_test_flagged=n_flagged[1],
        n_expected=doubts.n_expected,
        shown=tuple(shown),
    ), pictures.files


def _most_doubtful(doubts: LabelDoubts, parts: np.ndarray) -> list[int]:
    """Positions of the flagged labels of each part, as many as are shown, in common order."""
    flagged: np.ndarray = doubts.order[: doubts.n_flagged]
    of_part = [flagged[parts[flagged] == part][:MAX_SHOWN] for part in (0, 1)]
    kept = set(np.concatenate(of_part).tolist())
    return [at for at in flagged.tolist() if at in kept]
