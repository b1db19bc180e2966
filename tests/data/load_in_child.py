"""Loads the set of `test_cache.py` in a process of its own, in steps that the test decides."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.data.samples import make_card
from tuner.data.formats import fer_csv
from tuner.data.load import load_images


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> None:
    card = make_card({"type": "fer_csv", "path": "fer.csv"}, class_names=["no", "yes"])
    read = fer_csv.read

    def slow_read(*arguments: Any) -> Any:
        say("decoding")
        sys.stdin.readline()
        return read(*arguments)

    fer_csv.read = slow_read
    say("loading")
    sys.stdin.readline()
    say(load_images(card, Path(sys.argv[1])).fingerprint)


if __name__ == "__main__":
    main()
