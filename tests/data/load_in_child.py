"""Loads the set of `test_cache.py` in a process of its own, in steps that the test decides."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.data.samples import make_card
from tuner.data.formats.fer_csv import FerCsv
from tuner.data.load import load_images


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> None:
    card = make_card({"type": "fer_csv", "path": "fer.csv"}, class_names=["no", "yes"])
    read = FerCsv.read

    def slow_read(*arguments: Any) -> Any:
        say("decoding")
        sys.stdin.readline()
        return read(*arguments)

    FerCsv.read = slow_read  # type: ignore[method-assign]
    say("loading")
    sys.stdin.readline()
    say(load_images(card, Path(sys.argv[1])).fingerprint)


if __name__ == "__main__":
    main()
