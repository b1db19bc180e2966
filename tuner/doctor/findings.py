"""What an examination finds: records without a picture or a layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tuner.data.left_out import LeftOut
from tuner.data.splits.split_rules import MaybeRole

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

# What a run does with a part; empty where the data give none.
Use = Literal["trains", "validates", "tests", ""]

# Examples of a finding, and images of an example, that are named.
MAX_EXAMPLES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One image that shows what a finding means.

    Attributes:
        origin: File or row that it comes from.
        index: Its place among the images; None where it could not be read.
        part: The data's own name of its part; empty where the data give none.
        label: Its class; empty where it could not be read.
        note: What is odd about it; may be empty.
    """

    origin: str
    index: int | None = None
    part: str = ""
    label: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is odd or wrong.

    Attributes:
        code: Names the kind of finding, such as `conflicting-labels`; the same kind may be found in
            several parts.
        severity: `error` where results would be worthless, `warning` where they would mislead,
            `info` otherwise.
        summary: What was found, with counts, in one sentence.
        meaning: What it means for results.
        advice: What to do about it.
        counts: The numbers of the summary, by name.
        examples: All of them; images that belong together stand in one group.
        n_examples: How many groups there are in all.
    """

    code: str
    severity: Severity
    summary: str
    meaning: str
    advice: str
    counts: Mapping[str, int]
    examples: tuple[tuple[Example, ...], ...] = ()
    n_examples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCounts:
    """One part of the data.

    Attributes:
        name: The data's own name; empty where they give no parts.
        role: `train`, `validation` or `test`; empty where the data give no parts.
        per_class: Images of each class, in the order of the class numbers.
        n_distinct: Images that differ from all others of the part.
        use: `trains`, `validates` or `tests`; empty where the data give no parts.
    """

    name: str
    role: MaybeRole
    per_class: tuple[int, ...]
    n_distinct: int
    use: Use = ""

    @property
    def n(self) -> int:
        """Number of images."""
        return sum(self.per_class)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A data set, examined.

    Attributes:
        name: Name of the card.
        title: Its title, as text.
        fingerprint: Of the images, as a run states it.
        shape: (height, width, channels) that every image is brought to.
        class_names: In the order of the class numbers.
        parts: In the order train, validation, test.
        n_unreadable: Files that could not be read.
        findings: The worst first.
        left_out: What was found and is not used, by reason.
    """

    name: str
    title: str
    fingerprint: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    parts: tuple[PartCounts, ...]
    n_unreadable: int
    findings: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def n(self) -> int:
        """Number of images that could be read."""
        return sum(part.n for part in self.parts)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The reasons why results would be worthless; empty where they are not."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def verdict(self) -> str:
        """One sentence on the whole."""
        if self.errors:
            return "Results on this data would be worthless."
        n_warnings = sum(finding.severity == "warning" for finding in self.findings)
        if n_warnings:
            findings = "the warning" if n_warnings == 1 else f"the {n_warnings} warnings"
            return f"You can use the data. Look at {findings} first."
        return "You can use the data. No problem was found."
