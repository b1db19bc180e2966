"""LiteRT models with their labels inside."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path


def write_litert(content: bytes, files: Mapping[str, str], path: Path) -> None:
    """Write a model, with files that go with it.

    They are appended to the model as a ZIP archive, where LiteRT's tools look for a model's
    associated files; a runtime does not read so far.

    Args:
        content: The model.
        files: Their text, by name.
        path: The file.
    """
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
