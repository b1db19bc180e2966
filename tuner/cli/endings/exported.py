"""The last words of `export`: the file beside its original, in a table."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tuner.commands.export import ExportedModel
from tuner.exports.check_record import ExportCheck, Measured
from tuner.exports.model_card import accuracy_words
from tuner.metrics.score_text import percent
from tuner.report.text import file_size, plural

_HEAD = ("", "same label", "largest difference", "test accuracy", "size", "one image")


def exported_lines(exported: ExportedModel) -> Iterator[str]:
    """What people read."""
    check = exported.check
    rows = [
        _HEAD,
        (exported.model.name, "", "", *_measured(check.original)),
        (exported.file.name, *_compared(check), *_measured(check.exported)),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    of = "" if check.n == check.n_test else f" of {check.n_test:,}"
    kind = "sealed test image" if exported.is_sealed else "test image"
    yield (
        f"Checked on {plural(check.n, kind)}{of}; accuracy with its 95 % interval;"
        " one image: the median time."
    )
    if check.is_accepted:
        folder = shlex.quote(exported.folder.as_posix())
        yield f"Try it   python {folder}/predict.py IMAGE"


def rejection(exported: ExportedModel) -> tuple[str, str]:
    """Why a file was rejected, and what to do."""
    check = exported.check
    plainer = "export it without --quantize" if exported.options.quantize else ""
    other = plainer or "try another --format"
    if check.problem:
        return f"{exported.file}: rejected: {check.problem}", f"{other}."
    hint = f"{other}, or allow more with --max-differing."
    return (
        f"{exported.file}: rejected, since the labels of {percent(check.differing)} of the test"
        f" images differ from the original's ({check.n - check.n_equal:,} of {check.n:,}); at most"
        f" {percent(check.allowed)} may",
        hint,
    )


def export_ended(exported: ExportedModel) -> dict[str, Any]:
    """What programs read."""
    check = exported.check
    record: dict[str, Any] = {
        "event": "ExportEnded",
        "folder": exported.folder.as_posix(),
        "file": exported.file.as_posix(),
        "is_accepted": check.is_accepted,
        "differing": check.differing,
    }
    return record | asdict(check)


def _compared(check: ExportCheck) -> tuple[str, str]:
    if check.problem:
        return "none", "-"
    return percent(check.n_equal / check.n, 2), f"{check.max_difference:.1e}"


def _measured(one: Measured) -> tuple[str, str, str]:
    return accuracy_words(one), file_size(one.n_bytes), f"{one.latency_ms:.2f} ms"
