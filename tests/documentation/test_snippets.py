"""YAML and JSON of the docs, by the product's own check; where the Python of each page runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.calling import call
from tests.documentation.fences import SHELLS, Block, blocks
from tests.documentation.sandbox import own_models
from tests.documentation.texts import MARKDOWN, files, read

# What a part of a file lacks to be a whole one.
SPACE = {"version": 1, "model": "cnn", "space": {"conv_blocks": [1, 2]}}
CARD = {
    "name": "mine",
    "title": "Mine",
    "image": {"height": 32, "width": 32, "channels": 3},
    "class_names": ["cat", "dog"],
}
# Who executes the Python of a page.
PYTHON_OF = {
    "CONTRIBUTING.md": "tests/documentation/test_contributing.py",
    "README.md": "tests/documentation/test_trained_commands.py",
    "docs/colab.md": "tests/documentation/test_trained_commands.py",
    "docs/export.md": "tests/documentation/test_trained_commands.py",
    "docs/own_models.md": "tests/models/test_own_models_doc.py",
    "docs/python.md": "tests/documentation/test_trained_commands.py",
    "docs/python_runs.md": "tests/api/test_reference.py",
    "docs/reference/api.md": "tests/api/test_examples.py",
}
# `text` is output, a layout of folders, or the like.
LANGUAGES = {*SHELLS, "html", "json", "python", "text", "yaml"}


def found(*languages: str) -> list[Any]:
    """Each block in one of these languages."""
    return [
        pytest.param(block, id=f"{page}-{block.line}")
        for page in files(MARKDOWN)
        for block in blocks(read(page))
        if block.language in languages
    ]


def completed(block: Block) -> str:
    """The text of a YAML block; a part of a file within the smallest whole file."""
    data = yaml.safe_load(block.text)
    if "version" in data or "name" in data:
        return block.text
    whole = CARD if "files" in data else SPACE
    return yaml.safe_dump(whole | data)


@pytest.mark.parametrize("block", found("yaml"))
def test_yaml_is_valid(block: Block, tmp_path: Path) -> None:
    for name, text in own_models().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "mine.yaml").write_text(completed(block))
    shown = call("validate", "mine.yaml", cwd=tmp_path)
    assert (shown.code, shown.err) == (0, "")


@pytest.mark.parametrize("block", found("json"))
def test_json_is_valid(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", found("text"))
def test_text_holds_nothing_to_type(block: Block) -> None:
    assert "-m tuner" not in block.text
    assert "pip install" not in block.text


def test_each_block_names_its_language() -> None:
    unknown = [
        f"{page}:{block.line}: {block.language or 'none'}"
        for page in files(MARKDOWN)
        for block in blocks(read(page))
        if block.language not in LANGUAGES
    ]
    assert not unknown, "name one of " + ", ".join(sorted(LANGUAGES))


def test_python_of_each_page_is_executed_by_a_test() -> None:
    pages = {page for page in files(MARKDOWN) for one in blocks(read(page)) if is_python(one)}
    assert pages == set(PYTHON_OF)
    for test in PYTHON_OF.values():
        read(test)


def is_python(block: Block) -> bool:
    return block.language == "python"
