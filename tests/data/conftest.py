"""Fixtures of the data tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.samples import write_fer


@pytest.fixture
def fer_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a FER-style CSV whose chosen line reads otherwise."""

    def write(line: int | None = None, text: str = "", n: int = 6) -> Path:
        path = tmp_path / "fer.csv"
        lines = write_fer(path, [i % 2 for i in range(n)])
        if line is not None:
            lines[line - 1] = text
            path.write_text("\n".join(lines) + "\n")
        return path

    return write
