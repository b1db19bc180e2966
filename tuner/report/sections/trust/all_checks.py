"""Section "Trust": all checks, in the order of the page, each with its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from tuner.records.results import Results
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.trust import data_checks, training_checks
from tuner.report.sections.trust.check_result import CheckResult
from tuner.report.text import plural

CHECKS: tuple[Callable[[Results], CheckResult], ...] = (
    data_checks.test_set,
    data_checks.copies,
    data_checks.enough_images,
    data_checks.enough_validation,
    data_checks.guess,
    data_checks.classes,
    training_checks.seeds,
    training_checks.search_noise,
    training_checks.best_values,
    training_checks.last_epoch,
    training_checks.failed_trials,
    training_checks.backbone_weights,
)


def context(reported: ReportedRun) -> dict[str, Any]:
    """What the template is given."""
    checks = compute(reported.results)
    return {"checks": checks, "summary": summary_line(checks)}


def compute(results: Results) -> tuple[CheckResult, ...]:
    """All checks, in the order of the page."""
    return tuple(check(results) for check in CHECKS)


def summary_line(checks: Sequence[CheckResult]) -> str:
    """Such as `8 of 10 checks passed, 2 warnings`."""
    count = Counter(check.state for check in checks)
    parts = [f"{count['pass']} of {plural(len(checks), 'check')} passed"]
    if count["fail"]:
        parts.append(f"{count['fail']} failed")
    if count["warn"]:
        parts.append(plural(count["warn"], "warning"))
    if count["not known"]:
        parts.append(f"{count['not known']} not known")
    return ", ".join(parts)
