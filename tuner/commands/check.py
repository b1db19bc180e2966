"""`datasets check`: the data doctor and its page; `run` has the same examination made before it starts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.data.card import Card, card_folders
from tuner.data.images import Images
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.doctor.examine import examine
from tuner.doctor.findings import Examination, Finding
from tuner.errors import ConfigurationError, DataError
from tuner.pipeline.preparation.data_names import keep_name, named_apart
from tuner.store.files import is_disk_full, write_text

PAGE = "data.html"

# Lines that `run` says about its data.
MAX_NOTICES = 4

# `run` names every file that it skips, in its own words.
_TOLD_BY_RUN = frozenset({"unreadable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A checked data set.

    Attributes:
        examination: What was found.
        page: Where the page is.
    """

    examination: Examination
    page: Path


def check(target: str, *, data_dir: Path, out: Path) -> Checked:
    """Examine a data set, and write the page of it to `<out>/<name>/data.html`.

    Args:
        target: A card's name, or the path of your own data.
        data_dir: Root of the data.
        out: Root of the reports.

    Raises:
        ConfigurationError: If there is no such card, it has mistakes, or the page cannot be
            written.
        DataError: If the data are missing, or too broken to load.
    """
    from tuner.doctor.page import render

    card = named_apart(resolve(target, card_folders(), data_dir), target, data_dir, out)
    images = load_images(card, data_dir)
    examination = examine(images, card)
    page = out / card.name / PAGE
    html = render(examination, images.images)
    try:
        write_text(page, html)
        keep_name(card, target, data_dir, out)
    except OSError as error:
        if is_disk_full(error):
            raise
        raise ConfigurationError(
            f"{page}: cannot be written: {error.strerror}", "choose another folder with --out."
        ) from error
    return Checked(examination=examination, page=page)


def refuse_worthless(examination: Examination) -> None:
    """Let no result be made that would mean nothing.

    Raises:
        DataError: If results would be worthless, with every reason.
    """
    reasons = examination.errors
    if reasons:
        summaries = "\n".join(f"  {finding.summary}" for finding in reasons)
        raise DataError(
            f"{examination.name}: results would be worthless:\n{summaries}", reasons[0].advice
        )


def check_before_run(images: Images, card: Card, target: str) -> list[str]:
    """Examine loaded images, and refuse what would make results worthless.

    Args:
        images: All images of the data set.
        card: Its card.
        target: What you called it: a card's name, or a path.

    Returns:
        What you should know before a run: at most four lines.

    Raises:
        DataError: If results would be worthless, with every reason.
    """
    examination = examine(images, card)
    refuse_worthless(examination)
    return notices(examination.findings, target)


def notices(findings: Sequence[Finding], target: str) -> list[str]:
    """What you should know before a run, a line each; the last one counts what is left out.

    Args:
        findings: The most important first.
        target: What you called the data set; `datasets check` understands it too.
    """
    told = [
        f.summary.rstrip(".")
        for f in findings
        if f.severity == "warning" and f.code not in _TOLD_BY_RUN
    ]
    if len(told) <= MAX_NOTICES:
        return told
    n_left = len(told) - MAX_NOTICES + 1
    return [
        *told[: MAX_NOTICES - 1],
        f"{n_left} findings more: python -m tuner datasets check {shlex.quote(target)}",
    ]
