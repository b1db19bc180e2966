"""What `predict` prints: a line for each image, and at the end what could not be read."""

from __future__ import annotations

import errno
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from tuner.cli.terminal.output import plain, print_json, print_result, say
from tuner.errors import DataError
from tuner.report.text import plural
from tuner.store.prediction_file import partial_file, prediction_file

if TYPE_CHECKING:
    from tuner.commands.predict import Prediction, Predictions
    from tuner.production.decoded_images import NotPredicted

# Files that a message names; `--json` names all.
SHOWN = 10
# Seconds between two words on how far it is.
_INTERVAL_S = 10.0


def show_predictions(
    predictions: Predictions,
    n_files: int,
    *,
    json_lines: bool,
    out: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Print each prediction as it comes, or write it into a file.

    Args:
        predictions: What becomes of each file.
        n_files: How many there are.
        json_lines: Whether to print JSON, in which bad files have their lines too.
        out: The file for all of them, whose name is then printed in place of lines for people.
        clock: Seconds from some time on.

    Raises:
        DataError: At the end, if a file could not be read, or there was no image at all.
    """
    from tuner.production.decoded_images import NotPredicted

    n = 0
    bad: list[NotPredicted] = []
    left_out: list[NotPredicted] = []
    notes: list[str] = []
    progress = _Progress(n_files, clock)
    to_file = prediction_file(out, predictions.class_names) if out else nullcontext(None)
    try:
        with to_file as write, closing(predictions.found) as found:
            for one in found:
                progress.step()
                if isinstance(one, NotPredicted):
                    (bad if one.is_bad else left_out).append(one)
                    if not one.is_bad:
                        continue
                else:
                    n += 1
                    notes += [f"{one.image}: {one.note}"] if one.note else []
                row = _row(one)
                if write:
                    write(row)
                if json_lines:
                    print_json(row)
                elif not write and not isinstance(one, NotPredicted):
                    print_result(plain(_line(one)))
    except BaseException:
        if out and progress.n_done:
            say(f"{out} is incomplete; the predictions made so far are in {partial_file(out)}")
        raise
    if out and not json_lines:
        print_result(out)
    if sorter := predictions.sorter:
        there = f"; {sorter.n_there:,} existed already" if sorter.n_there else ""
        say(f"sorted into folders: {plural(sorter.n_put, 'image')}{there}")
    _say_the_rest(notes, left_out)
    if bad or not n:
        raise _unread(bad, n)


class _Progress:
    """Says now and then how far a long list is."""

    def __init__(self, n_all: int, clock: Callable[[], float]) -> None:
        self.n_done = 0
        self._n_all = n_all
        self._clock = clock
        self._began_s = self._told_s = clock()

    def step(self) -> None:
        """Count a file."""
        self.n_done += 1
        now_s = self._clock()
        if now_s - self._told_s < _INTERVAL_S:
            return
        self._told_s = now_s
        rate = self.n_done / (now_s - self._began_s)
        # A slow model would else be at 0 a second.
        digits = 1 if rate < 10 else 0
        say(f"  {self.n_done:,} of {plural(self._n_all, 'file')}, {rate:,.{digits}f} per second")


def _say_the_rest(notes: Sequence[str], left_out: Sequence[NotPredicted]) -> None:
    for line in notes[:SHOWN]:
        say(f"note: {line}")
    if len(notes) > SHOWN:
        say(f"note: the same for {plural(len(notes) - SHOWN, 'more image')}")
    if left_out:
        kinds = Counter(PurePath(one.image).suffix.lower() or "no suffix" for one in left_out)
        counted = ", ".join(f"{kind} ({count:,})" for kind, count in kinds.most_common(SHOWN))
        say(f"left out, not images: {plural(len(left_out), 'file')}: {counted}")


def _row(one: Prediction | NotPredicted) -> dict[str, Any]:
    """A line of JSON."""
    from tuner.production.decoded_images import NotPredicted

    if isinstance(one, NotPredicted):
        return {"image": one.image, "error": one.reason}
    note = {"note": one.note} if one.note else {}
    return {
        "image": one.image,
        "class": one.class_name,
        "probabilities": dict(zip(one.class_names, one.probabilities, strict=True)),
        **note,
    }


def _line(found: Prediction) -> str:
    """A line for people, with the most probable class first."""
    shares = sorted(
        zip(found.class_names, found.probabilities, strict=True), key=lambda item: -item[1]
    )
    unsure = "" if found.class_name is not None else "unsure, "
    words = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares)
    return f"{found.image}: {unsure}{words}"


def _unread(bad: Sequence[NotPredicted], n: int) -> DataError:
    hint = "give images that other programs can open."
    if not bad:
        return DataError("there is no image among the files", hint)
    if len(bad) == 1:
        (one,) = bad
        if one.reason == os.strerror(errno.ENOENT):
            return DataError(f"{one.image}: there is no such file", "check the path.")
        return DataError(
            f"{one.image}: cannot be read as an image: {one.reason}",
            "give an image that other programs can open.",
        )
    lines = [f"  {one.image}: {one.reason}" for one in bad[:SHOWN]]
    more = [f"  and {len(bad) - SHOWN:,} more; --json names them all"] if len(bad) > SHOWN else []
    return DataError(
        "\n".join(
            [f"{len(bad):,} of {n + len(bad):,} files cannot be read as images:", *lines, *more]
        ),
        hint,
    )
