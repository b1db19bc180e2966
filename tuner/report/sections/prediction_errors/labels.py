"""Part of "Errors": labels of validation and test images that are likely wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuner.records.label_issues import LabelIssues, SuspectLabel
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.prediction_errors.gallery import EmbeddedPicture, PictureBudget
from tuner.report.text import without_folders

# As they stand in the page, beside the pictures of the gallery.
MAX_BYTES = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturedSuspect:
    """One likely wrong label with its picture.

    Attributes:
        suspect: The label.
        origin: The file or row that the image comes from.
        given: Name of its label.
        suggested: Name of the suggested class.
        picture: None where the run has lost the file.
    """

    suspect: SuspectLabel
    origin: str
    given: str
    suggested: str
    picture: EmbeddedPicture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelyWrong:
    """The whole part.

    Attributes:
        issues: What the run has found.
        n_corrected: Labels that `--labels` had corrected before.
        shown: Those with pictures, the most doubtful first.
    """

    issues: LabelIssues
    n_corrected: int
    shown: tuple[PicturedSuspect, ...]

    def of_part(self, part: str) -> list[PicturedSuspect]:
        """Those of a part."""
        return [one for one in self.shown if one.suspect.part == part]


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None for a run that has not looked for wrong labels."""
    issues = reported.results.label_issues
    return {"likely_wrong": compute(reported, issues)} if issues else None


def compute(reported: ReportedRun, issues: LabelIssues) -> LikelyWrong:
    """The labels with their pictures, as many as fit into the page."""
    names = reported.results.data.class_names
    budget = PictureBudget(reported.pictures, MAX_BYTES)
    shown = tuple(
        PicturedSuspect(
            suspect=one,
            origin=without_folders(one.origin),
            given=names[one.given],
            suggested=names[one.suggested],
            picture=budget.picture(one.picture),
        )
        for one in issues.shown
        if budget.take(one.picture)
    )
    return LikelyWrong(issues=issues, n_corrected=reported.results.data.n_corrected, shown=shown)
