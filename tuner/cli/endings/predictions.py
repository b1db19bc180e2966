"""What `predict` prints: a line for each image, and at the end what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tuner.cli.terminal.output import plain, print_json, print_result, say
from tuner.errors import DataError
from tuner.report.text import plural

if TYPE_CHECKING:
    from tuner.commands.predict import Prediction
    from tuner.production.decoded_images import NotPredicted

# Files that a message names; `--json` names all.
SHOWN = 10


def show_predictions(found: Iterable[Prediction | NotPredicted], *, json_lines: bool) -> None:
    """Print each prediction as it comes.

    Args:
        found: What became of each file.
        json_lines: Whether to print JSON, in which bad files have their lines too.

    Raises:
        DataError: At the end, if a file could not be read, or there was no image at all.
    """
    from tuner.production.decoded_images import NotPredicted

    n = 0
    bad: list[NotPredicted] = []
    left_out: list[NotPredicted] = []
    notes: list[str] = []
    for one in found:
        if isinstance(one, NotPredicted):
            (bad if one.is_bad else left_out).append(one)
            if json_lines and one.is_bad:
                print_json({"image": str(one.image), "error": one.reason})
            continue
        n += 1
        _show(one, json_lines=json_lines)
        if one.note:
            notes.append(f"{one.image}: {one.note}")
    for line in notes[:SHOWN]:
        say(f"note: {line}")
    if len(notes) > SHOWN:
        say(f"note: the same for {plural(len(notes) - SHOWN, 'more image')}")
    if left_out:
        kinds = Counter(one.image.suffix.lower() or "no suffix" for one in left_out)
        counted = ", ".join(f"{kind} ({count:,})" for kind, count in kinds.most_common(SHOWN))
        say(f"left out, not images: {plural(len(left_out), 'file')}: {counted}")
    if bad or not n:
        raise _unread(bad, n)


def _show(found: Prediction, *, json_lines: bool) -> None:
    shares = dict(zip(found.class_names, found.probabilities, strict=True))
    if json_lines:
        note = {"note": found.note} if found.note else {}
        print_json(
            {"image": str(found.image), "class": found.class_name, "probabilities": shares, **note}
        )
        return
    others = sorted(shares.items(), key=lambda item: -item[1])
    print_result(
        plain(
            f"{found.image}: {', '.join(f'{name} {100 * share:.1f} %' for name, share in others)}"
        )
    )


def _unread(bad: Sequence[NotPredicted], n: int) -> DataError:
    hint = "give pictures that other programs open."
    if not bad:
        return DataError("there is no image among the files", hint)
    if len(bad) == 1:
        (one,) = bad
        return DataError(
            f"{one.image}: cannot be read as an image: {one.reason}",
            "give a picture that other programs open.",
        )
    lines = [f"  {one.image}: {one.reason}" for one in bad[:SHOWN]]
    more = [f"  and {len(bad) - SHOWN:,} more; --json names them all"] if len(bad) > SHOWN else []
    return DataError(
        "\n".join(
            [f"{len(bad):,} of {n + len(bad):,} files cannot be read as images:", *lines, *more]
        ),
        hint,
    )
