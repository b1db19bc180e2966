"""What the terminal behind stderr can do: whether it can draw a live view, and its width.

No framework and no rich: `--help` and the summary ask as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from tuner.cli.terminal import output

# Where nothing says how wide a terminal is.
USUAL_WIDTH, USUAL_HEIGHT = 80, 24
# Of these a cell of a notebook shows what a program prints, but cannot take anything back.
# `!python` gives the program a terminal, so that alone would let the live view be drawn line below
# line.
_NOTEBOOKS = ("JPY_PARENT_PID", "COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE")
_DUMB_TERMINALS = ("", "dumb", "unknown")


def can_draw(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a view that is drawn over and over again would be seen as that."""
    if is_notebook(environ) or not output.ERRORS.isatty():
        return False
    return os.name == "nt" or environ.get("TERM", "") not in _DUMB_TERMINALS


def is_notebook(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a notebook's kernel started this program, or runs it."""
    # ipykernel sets it for what its cells start, unless somebody has chosen another backend.
    is_inline = environ.get("MPLBACKEND", "").startswith("module://")
    return is_inline or any(environ.get(name) for name in _NOTEBOOKS)


def size(environ: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """Columns and lines of the terminal behind stderr; the usual ones if it has none or 0."""
    try:
        columns, lines = os.get_terminal_size(output.ERRORS.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    width = _positive(environ.get("COLUMNS")) or columns or USUAL_WIDTH
    return width, _positive(environ.get("LINES")) or lines or USUAL_HEIGHT


def _positive(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
