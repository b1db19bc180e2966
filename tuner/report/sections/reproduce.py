"""Section "Reproduce": what you need to get these numbers again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuner.records.results import DataSummary, Results
from tuner.records.search_summary import SearchSummary
from tuner.report.reported_run import ReportedRun
from tuner.report.text import duration, plural, without_folders


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCounts:
    """Images of one class in the three parts.

    Attributes:
        name: The class.
        train: Training images.
        validation: Validation images.
        test: Test images.
    """

    name: str
    train: int
    validation: int
    test: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """The whole section.

    Attributes:
        command: The command line that repeats the run, without the folders of absolute paths.
        folders_hidden: Whether any were left out of it.
        groups: Facts by heading, each as name and value.
        classes: One row per class.
        unreadable: The first images that could not be read, each with its reason.
        n_more_unreadable: How many others there are.
    """

    command: str
    folders_hidden: bool
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    classes: tuple[ClassCounts, ...]
    unreadable: tuple[str, ...]
    n_more_unreadable: int


def search_words(search: SearchSummary) -> str:
    """How the space was searched, with the numbers that mean something to the method."""
    # An earlier version left the words to the report.
    return search.method_words or f"{search.method}, {plural(search.max_epochs, 'epoch')} at most"


def context(reported: ReportedRun) -> dict[str, Any]:
    """What the template is given."""
    return {"reproduction": compute(reported.results)}


def compute(results: Results) -> Reproduction:
    """Facts about the run, its data and its machine."""
    run, data = results.run, results.data
    command = without_folders(run.command)
    counts = zip(
        data.class_names, data.train_counts, data.validation_counts, data.test_counts, strict=True
    )
    return Reproduction(
        command=command,
        folders_hidden=command != run.command,
        groups=(
            ("Run", _about_run(results)),
            ("Data", _about_data(data)),
            ("Versions", tuple(run.versions.items())),
            ("Hardware", tuple(run.hardware.items())),
        ),
        classes=tuple(ClassCounts(name=n, train=a, validation=b, test=c) for n, a, b, c in counts),
        unreadable=tuple(without_folders(line) for line in data.unreadable),
        n_more_unreadable=data.n_unreadable - len(data.unreadable),
    )


def _about_run(results: Results) -> tuple[tuple[str, str], ...]:
    run, search = results.run, results.search
    return (
        ("Run", run.run_id),
        ("Started (UTC)", run.started_at),
        ("Duration", duration(run.duration_s)),
        ("Preset", run.preset),
        ("Seed", str(run.seed)),
        *((("Recipe", without_folders(run.recipe)),) if run.recipe else ()),
        (
            "Search",
            (f"{search_words(search)}; objective {search.objective} ({search.direction})"),
        ),
        *((("Families searched", ", ".join(search.families)),) if search.families else ()),
    )


def _about_data(data: DataSummary) -> tuple[tuple[str, str], ...]:
    return (
        ("Data set", data.name),
        ("Source", without_folders(data.source)),
        ("Fingerprint", data.fingerprint),
        ("Images", f"{data.height} × {data.width} pixels, {plural(data.channels, 'channel')}"),
        ("Split", data.split_rule),
        ("--limit", "not given" if data.limit is None else plural(data.limit, "image")),
        ("Unreadable", plural(data.n_unreadable, "image")),
        ("Left out: copies of test images", plural(data.n_dropped_copies, "image")),
        ("Left out: conflicting labels", plural(data.n_dropped_conflicting, "image")),
        ("Left out: duplicates", plural(data.n_dropped_duplicates, "image")),
    )
