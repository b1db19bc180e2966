"""Style sheets and scripts as they stand in a page, and the hashes that let them run there."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files


def asset(package: str, name: str) -> str:
    """A file of a package's templates, less what only readers of the file need.

    That is the indentation, comments, and spaces of style sheets.
    """
    text = files(package).joinpath("templates", name).read_text(encoding="utf-8")
    text = re.sub(r"^\s*//.*\n|^\s+", "", text, flags=re.MULTILINE)
    if not name.endswith(".css"):
        return text
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*([{};])\s*|(?<=:) ", r"\1", text)
    return text.replace(";}", "}").strip()


def source_hash(content: str) -> str:
    """The hash by which a content policy names a style or a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
