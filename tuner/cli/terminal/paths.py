"""Paths as the terminal shows them."""

from __future__ import annotations

from pathlib import Path


def shown_path(path: Path) -> str:
    """The path, relative to the working directory if it is below it."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
