"""The pages of the documentation site, without the generator that draws them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
import yaml

from docs.site.api_page import call_text
from docs.site.build import write_pages
from docs.site.command_line import command_line_page
from docs.site.pages import ROOT, BrokenLinkError, links, sources, stage
from docs.site.schema_pages import schema_page
from tuner.cli.commands import cli


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_pages(folder)
    return folder


def headings(text: str) -> set[str]:
    """The anchors of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"(?ms)^ *```.*?^ *```$", "", text), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles)
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in plain}


def broken(folder: Path) -> list[str]:
    """The relative links of a folder's pages that lead nowhere."""
    found = []
    for page in sorted(folder.rglob("*.md")):
        for link in links(page.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            if target.startswith(("http://", "https://")):
                continue
            path = page.parent / target if target else page
            is_there = path.exists() and (
                not anchor or anchor in headings(path.read_text(encoding="utf-8"))
            )
            found += [] if is_there else [f"{page.relative_to(folder)}: {link}"]
    return found


def test_all_links_and_anchors_of_the_site_lead_somewhere(pages: Path) -> None:
    assert broken(pages) == []


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# One\n[x](b.md) [y](#one) [z](#two) `[c](d.md)`\n")
    assert broken(tmp_path) == ["a.md: b.md", "a.md: #two"]


def test_a_page_that_links_to_a_missing_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("[x](b.md)")
    monkeypatch.setattr("docs.site.pages.ROOT", tmp_path)
    monkeypatch.setattr("docs.site.pages._PLACES", {})
    with pytest.raises(BrokenLinkError, match=r"docs/a.md: there is no docs/b.md"):
        stage(tmp_path / "site")


def test_every_entry_of_the_navigation_is_a_page_and_every_page_an_entry(pages: Path) -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    listed = set(re.findall(r"[\w/]+\.md", json.dumps(nav)))
    assert [page for page in sorted(listed) if not (pages / page).is_file()] == []
    # Decisions are reached from their index.
    written = {page for page in sources().values() if not page.startswith("adr/0")}
    assert written - listed == set()


def test_links_in_inline_code_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("`[x](gone.md)` and [the home](../README.md)")
    (tmp_path / "README.md").write_text("Home")
    monkeypatch.setattr("docs.site.pages.ROOT", tmp_path)
    monkeypatch.setattr("docs.site.pages._PLACES", {"README.md": "index.md"})
    stage(tmp_path / "site")
    page = (tmp_path / "site" / "a.md").read_text()
    assert page == "`[x](gone.md)` and [the home](index.md)"


def test_the_command_line_page_has_every_option_that_is_shown() -> None:
    page = command_line_page(cli)
    for name in ("run", "datasets fetch", "serve"):
        assert f"\n## {name}\n" in page
    run = cli.commands["run"]
    shown = [one for one in run.params if isinstance(one, click.Option) and not one.hidden]
    assert all(one.opts[-1] in page for one in shown)


def test_a_schema_page_has_every_key_of_every_object() -> None:
    text = (ROOT / "docs" / "schema" / "results.schema.json").read_text(encoding="utf-8")
    page = schema_page("results.json", "All keys.", text)
    for definition in json.loads(text)["$defs"].values():
        assert all(f"| `{key}` |" in page for key in definition.get("properties", ()))


def test_a_call_shows_which_arguments_go_by_position_or_by_keyword_alone() -> None:
    def both(a: int, /, *, b: int = 1) -> None: ...
    def mixed(a: int, /, b: int, *, c: int, d: int) -> int: ...
    def many(*a: int, b: int) -> None: ...

    assert call_text("f", both) == "f(a: int, /, *, b: int = 1)"
    assert call_text("f", mixed) == "f(a: int, /, b: int, *, c: int, d: int) -> int"
    assert call_text("f", many) == "f(*a: int, b: int)"
