"""Which files of the repository become pages of the site, and where their links lead then."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
# Pages that are not in docs/, or have another name there.
_PLACES = {
    "README.md": "index.md",
    "docs/README.md": "pages.md",
    "docs/adr/README.md": "adr/index.md",
    "docs/deploy/README.md": "deploy.md",
    "search_spaces/README.md": "reference/search_spaces.md",
    "datasets/README.md": "reference/data_cards.md",
    "reports/README.md": "reference/run_folder.md",
    "benchmarks/README.md": "benchmarks.md",
    "tests/README.md": "tests.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
# A link to one of these folders leads to the page that describes it.
_FOLDERS = {
    "docs/adr": "docs/adr/README.md",
    "docs/deploy": "docs/deploy/README.md",
    "docs/schema": "docs/README.md",
    "benchmarks": "benchmarks/README.md",
    "tests": "tests/README.md",
}
_LINK = re.compile(r"(?P<text>!?\[[^\]]*\])\((?P<target>[^)\s]+)\)")
_INLINE = re.compile(r"`[^`\n]*`")
# A link's text may hold code; code that holds a link comes first.
_LINK_OR_CODE = re.compile(rf"{_LINK.pattern}|{_INLINE.pattern}")
_BLOCK = re.compile(r"(^[ ]*```.*?^[ ]*```$)", re.DOTALL | re.MULTILINE)


class BrokenLinkError(Exception):
    """A link to a file that is not in the repository."""


def sources() -> dict[str, str]:
    """The place on the site of each page, both relative and with slashes."""
    docs = (path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))
    own = {path: path.removeprefix("docs/") for path in docs}
    return own | _PLACES


def stage(into: Path) -> None:
    """Write all pages into a folder, with their links as the site needs them.

    Raises:
        BrokenLinkError: If a page links to a file that is not there.
    """
    for source, place in sources().items():
        page = into / place
        page.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / source).read_text(encoding="utf-8")
        page.write_text("".join(_linked(text, source, into)), encoding="utf-8")


def links(text: str) -> Iterator[str]:
    """The targets of the links in a page, without those in code."""
    for chunk, is_code in _chunks(text):
        if not is_code:
            yield from (hit["target"] for hit in _LINK.finditer(_INLINE.sub("", chunk)))


def _linked(text: str, source: str, into: Path) -> Iterator[str]:
    for chunk, is_code in _chunks(text):
        yield (
            chunk
            if is_code
            else _LINK_OR_CODE.sub(
                lambda hit: _moved(hit, source, into) if hit["target"] else hit[0], chunk
            )
        )


def _chunks(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is a block of code."""
    for number, chunk in enumerate(_BLOCK.split(text)):
        yield chunk, number % 2 == 1


def _moved(link: re.Match[str], source: str, into: Path) -> str:
    target, hash_, anchor = link["target"].partition("#")
    if not target or target.startswith(("http://", "https://", "mailto:")):
        return link[0]
    path = os.path.normpath(PurePosixPath(source).parent / target)
    page = sources().get(_FOLDERS.get(path, path)) or _copied(path, source, into)
    here = PurePosixPath(sources()[source]).parent
    return f"{link['text']}({PurePosixPath(os.path.relpath(page, here))}{hash_}{anchor})"


def _copied(path: str, source: str, into: Path) -> str:
    """The place of a file that is no page, such as a picture, a schema or a script."""
    if not (ROOT / path).is_file():
        raise BrokenLinkError(f"{source}: there is no {path}")
    place = path.removeprefix("docs/")
    (into / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / path, into / place)
    return place
