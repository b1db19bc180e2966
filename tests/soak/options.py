"""What the command lines of the fuzzers have in common."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path


def fuzz_options(text: str | None, n_cases: int, name: str) -> argparse.ArgumentParser:
    """A parser of `--cases`, `--seed`, `--only` and `--keep`.

    Args:
        text: The module's docstring.
        n_cases: Cases of a whole run.
        name: Of the module; what goes wrong is kept in a folder of that name.
    """
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=n_cases)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="number of a case to run alone, in this process")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / name)
    return parser
