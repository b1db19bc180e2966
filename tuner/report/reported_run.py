"""What a page is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tuner.records.results import Results
from tuner.records.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRun:
    """A run as its files hold it; every section of the page takes what it needs.

    Attributes:
        results: Every number of the run.
        trials: The search's trials, in the order of their ends.
        pictures: Contents of the files in `gallery/`, PNG or JPEG, by name.
    """

    results: Results
    trials: Sequence[Trial] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
