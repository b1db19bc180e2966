"""Labels that the predictions of a run speak against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["validation", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectLabel:
    """One image whose label is likely wrong.

    Attributes:
        origin: The file or row that it comes from.
        part: `validation` or `test`.
        given: Number of the class that it is labelled.
        suggested: Number of the class that speaks most against the label.
        given_probability: Calibrated probability of the given class.
        suggested_probability: The same of the suggested one.
        picture: File in `gallery/`.
    """

    origin: str
    part: Part
    given: int
    suggested: int
    given_probability: float
    suggested_probability: float
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelIssues:
    """What the winner's kept model says of the labels of images that it did not train on.

    Attributes:
        n_validation: Validation images that were looked at.
        n_test: Test images that were looked at.
        n_validation_flagged: Labels of validation images that are likely wrong.
        n_test_flagged: The same of test images.
        n_expected: Estimated number of wrong labels among all of them.
        shown: The most doubtful of each part, the most doubtful first.
    """

    n_validation: int
    n_test: int
    n_validation_flagged: int
    n_test_flagged: int
    n_expected: float
    shown: tuple[SuspectLabel, ...]
