"""docs/reference/api.md says what the code says, and docs/python_runs.md what runs can do."""

from __future__ import annotations

import inspect
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from docs.site.api_page import api_page, members, public_objects
from tests.built_wheel import ROOT

PAGE = ROOT / "docs" / "reference" / "api.md"
RUNS = ROOT / "docs" / "python_runs.md"
_CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_reference_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == api_page(), (
        "write it anew: python -m docs.site.api_page > docs/reference/api.md"
    )


def test_each_name_has_its_arguments_and_its_example() -> None:
    heading = re.compile(r"^#{2,3} (?:tuner\.)?", re.MULTILINE)
    _, *sections = heading.split(PAGE.read_text(encoding="utf-8"))
    found = {text.partition("\n")[0]: text for text in sections}
    for name, one in public_objects().items():
        documented = {name: one} | {f"{name}.{member}": value for member, value in members(one)}
        for full, value in documented.items():
            assert ">>> " in found[full]
            if inspect.isfunction(value):
                for argument in set(inspect.signature(value).parameters) - {"self", "cls"}:
                    assert re.search(rf"- `\*{{0,2}}{argument}`: ", found[full]), (full, argument)


def test_code_of_the_page_runs_in_its_order(
    in_digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(in_digits / "reports", tmp_path / "reports")
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (20, 10), "red").save("a.jpg")
    Path("new_photos").mkdir()
    Image.new("L", (8, 8), 90).save("new_photos/b.png")
    names: dict[str, object] = {}
    blocks = _CODE.findall(RUNS.read_text(encoding="utf-8"))
    assert len(blocks) == 3
    for block in blocks:
        exec(block, names)
    assert list(names["predicted"]["image"]) == ["a.jpg", "new_photos/b.png"]  # type: ignore[index]
    assert names["trained"].count_params() > 0  # type: ignore[attr-defined]
    assert len(names["best"]) == 3  # type: ignore[arg-type]
