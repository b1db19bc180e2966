"""`tuner.search` is a function and a package, whichever is asked for first."""

from __future__ import annotations

import subprocess
import sys


def test_names_are_the_functions_whatever_was_imported_before() -> None:
    code = (
        "import tuner\n"
        "print(all(callable(getattr(tuner, name)) for name in tuner.__all__))\n"
        "import tuner.search.board\n"
        "print(callable(tuner.search), tuner.search.board.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True", "True tuner.search.board"]
