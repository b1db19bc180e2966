"""Builds the documentation site: `make docs`, or `python -m docs.site.build [FOLDER]`.

The pages are those of docs/ and the READMEs of the folders; the reference is generated from the
code. mkdocs.yml states their order; an entry without a page fails the build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import yaml

from docs.site.command_line import command_line_page
from docs.site.pages import ROOT, stage
from docs.site.schema_pages import schema_page

_SCHEMAS = {
    "search_space_format": (
        "space",
        "Search-space format",
        "Every key of a search space. [Search spaces](search_spaces.md) explains how to write one.",
    ),
    "data_card_format": (
        "card",
        "Data-card format",
        "Every key of a data card. [Data cards](data_cards.md) explains how to write one.",
    ),
    "results": (
        "results",
        "results.json",
        "Every key of a run's results.json. [The report](../report.md) shows the same numbers.",
    ),
}


def write_pages(into: Path) -> None:
    """Write all pages of the site, generated ones included."""
    from tuner.cli.commands import cli

    stage(into)
    reference = into / "reference"
    reference.mkdir(exist_ok=True)
    (reference / "command_line.md").write_text(command_line_page(cli), encoding="utf-8")
    for name, (schema, title, introduction) in _SCHEMAS.items():
        text = (ROOT / "docs" / "schema" / f"{schema}.schema.json").read_text(encoding="utf-8")
        (reference / f"{name}.md").write_text(
            schema_page(title, introduction, text), encoding="utf-8"
        )


def main() -> int:
    """Stage the pages and run the site generator in strict mode."""
    if find_spec("mkdocs") is None or find_spec("material") is None:
        sys.stderr.write("The generator is not installed: make EXTRAS=dev,docs docs\n")
        return 1
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "docs").resolve()
    pages = folder / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    write_pages(pages)
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    config |= {"docs_dir": "pages", "site_dir": "site"}
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    # Not --quiet: it also keeps --strict from counting warnings.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", folder / "mkdocs.yml"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    sys.stderr.write(done.stderr if done.returncode else "")
    sys.stdout.write("" if done.returncode else f"{folder / 'site' / 'index.html'}\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
