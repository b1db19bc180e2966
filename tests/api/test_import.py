"""`import tuner` is light, and its names are there."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("tensorflow", "jax", "keras", "keras_tuner", "numpy", "pandas", "pydantic", "rich")


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    return done.stdout.strip()


def test_import_brings_no_framework_and_nothing_else_of_weight() -> None:
    found = python(f"import sys, tuner; print([n for n in {HEAVY} if n in sys.modules])")
    assert found == "[]"


def test_names_are_the_functions_whatever_was_imported_before() -> None:
    lines = python(
        "import tuner\n"
        "print([callable(getattr(tuner, name)) for name in sorted(tuner.__all__)])\n"
        "import tuner.search.board\n"
        "print(callable(tuner.search), tuner.search.board.__name__)"
    ).splitlines()
    assert set(lines[0].strip("[]").split(", ")) == {"True"}
    assert lines[1] == "True tuner.search.board"
