"""Gives hostile spaces, cards, recipes and overrides to their readers.

Each document must be read, or refused with the place of its mistake.

    python -m tests.soak.fuzz_documents [--cases 900] [--seed 0] [--only NUMBER] [--keep FOLDER]

The first cases are made by hand (alias bombs, pipes, a million brackets), the others are mutations
of good documents: values of other kinds at random places, huge numbers, tags, aliases, deep
nesting, and damage to the text. Each runs in a process of its own, where it may take a second of a
core and 500 MB. What goes wrong is printed and kept in a folder; exits with 1 if anything did. The
same seed makes the same cases.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.soak import documents
from tests.soak.children import Limits, start_timers, within
from tests.soak.options import fuzz_options
from tuner.data.cards.card_files import read_card
from tuner.errors import ConfigurationError
from tuner.names import one_line
from tuner.space.parsing.parse import load_space
from tuner.space.sampling import n_settings, sample
from tuner.store.recipe_file import read_recipe

# A recipe may name 100,000 classes.
LIMITS = {
    kind: Limits(seconds=seconds, wait_s=60.0, n_bytes=500_000_000, n_addresses=4 * 2**30)
    for kind, seconds in (("space", 1.0), ("card", 1.0), ("recipe", 3.0))
}
# Ten mistakes with a hint each, the number of the others, and their hint.
_MOST_LINES = 22
_MOST_LETTERS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a case ended.

    Attributes:
        problem: What went wrong; nothing if all is well.
        end: `read` or `refused`.
        duration_s: Processor time.
        peak_bytes: Memory.
    """

    problem: str
    end: str
    duration_s: float
    peak_bytes: int


def main() -> int:
    """Run the cases."""
    options = fuzz_options(__doc__, 900, "fuzz_documents").parse_args()
    ends: Counter[str] = Counter()
    n = n_wrong = 0
    slowest_s, most_bytes = 0.0, 0
    for n, case in enumerate(cases(options.cases, options.seed), start=1):
        if options.only is not None:
            if n == options.only:
                with tempfile.TemporaryDirectory() as folder:
                    print(case.kind, case.what, give(case, Path(folder)), sep="\n")
            continue
        outcome = run(case)
        ends[outcome.end] += 1
        slowest_s, most_bytes = (
            max(slowest_s, outcome.duration_s),
            max(most_bytes, outcome.peak_bytes),
        )
        if outcome.problem:
            n_wrong += 1
            kept = options.keep / f"seed-{options.seed}-case-{n}"
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            (kept / case.name).write_bytes(case.content)
            print(
                f"case {n} ({case.kind}, {case.what}), kept in {kept}: {outcome.problem}",
                flush=True,
            )
    if options.only is None:
        shown = ", ".join(f"{ends[end]} times {end}" for end in ("read", "refused"))
        print(
            f"{shown}; at most {slowest_s:.1f} s and {most_bytes / 1e6:,.0f} MB; {n_wrong} of {n}"
            " went wrong"
        )
    return 1 if n_wrong else 0


def cases(n: int, seed: int) -> Iterator[documents.Case]:
    """The first n: those made by hand, then mutations."""
    made = list(documents.specials())
    yield from made[:n]
    for number in range(max(0, n - len(made))):
        yield documents.mutated(random.Random(f"{seed}-{number}"))


def run(case: documents.Case) -> Outcome:
    """Give a case to its reader in a process of its own."""
    limits = LIMITS[case.kind]
    with tempfile.TemporaryDirectory() as root:

        def read() -> str:
            start_timers(limits)
            return give(case, Path(root)).partition("\n")[0]

        ended = within(limits, read)
    return Outcome(
        problem=ended.problem,
        end=ended.told or "wrong",
        duration_s=ended.duration_s,
        peak_bytes=ended.peak_bytes,
    )


def give(case: documents.Case, folder: Path) -> str:
    """Give a case to its reader: `read`, or `refused` and the message.

    Raises:
        AssertionError: If the message is not what you can use.
    """
    path = folder / case.name
    case.place(path)
    readers: dict[str, Callable[[], object]] = {
        "space": lambda: _use_space(path, case.overrides),
        "card": lambda: _use_card(path),
        "recipe": lambda: read_recipe(path),
    }
    try:
        readers[case.kind]()
    except ConfigurationError as error:
        _check_message(error, path)
        return f"refused\n{error}"
    return "read\n"


def _use_space(path: Path, overrides: tuple[str, ...]) -> None:
    file = load_space(path, overrides)
    assert n_settings(file.space) != 0, "a space without settings"
    generator = np.random.default_rng(0)
    for _ in range(3):
        sample(file.space, generator)


def _use_card(path: Path) -> None:
    card = read_card(path)
    for name in card.paths:
        assert not name.startswith("/"), f"{name} leaves the data root"
        assert ".." not in Path(name).parts, f"{name} leaves the data root"
    assert one_line(card.title + card.how_to_get) == card.title + card.how_to_get, "forged lines"


def _check_message(error: ConfigurationError, path: Path) -> None:
    lines = str(error).split("\n")
    assert len(lines) <= _MOST_LINES, f"{len(lines)} lines"
    assert len(str(error)) <= _MOST_LETTERS, f"{len(str(error))} letters"
    for line in lines:
        assert one_line(line) == line, f"it steers the terminal: {line!r}"
        # The name is cut in the middle of a long path, never at its beginning.
        assert line.startswith(("  Fix: ", str(path), "--set ")), f"a forged line: {line!r}"


if __name__ == "__main__":
    sys.exit(main())
