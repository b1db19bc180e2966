"""docs/photos_to_phone.md, command by command, on photos that are drawn here."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.calling import call
from tests.commands.test_export import run_script

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "photos_to_phone.md"
OURS = ["python", "-m", "tuner"]
ELSEWHERE = "elsewhere/bin/python"
# The page's search and comparison take minutes.
SHORTER = ["--max-trials", "1", "--max-epochs", "2"]
SHORTER += ["--set", "retrain.seeds=1", "--set", "compare=[]"]


def commands() -> list[list[str]]:
    """What the page tells you to type."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.M)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]


def draw(folder: Path, n: int, *, is_bright: bool, seed: int) -> None:
    """Photos of mixed sizes, of something bright or dark."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n):
        height, width = rng.integers(40, 90, size=2)
        pixels = rng.integers(0, 90, size=(height, width, 3)) + (160 if is_bright else 0)
        name = f"{'cats' if is_bright else 'dogs'}_{number}.jpg"
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)


def test_the_page_leads_from_photos_to_the_same_labels_elsewhere(tmp_path: Path) -> None:
    for number, name in enumerate(["cats", "dogs"]):
        is_bright = name == "cats"
        draw(tmp_path / "my_photos" / name, 24, is_bright=is_bright, seed=number)
        draw(tmp_path / "new_photos", 3, is_bright=is_bright, seed=10 + number)
    printed: list[list[str]] = []
    installed: list[set[str]] = []
    for command in commands():
        if command[:3] == OURS:
            options = SHORTER if command[3] == "run" else []
            shown = call(*command[3:], *options, cwd=tmp_path)
            assert shown.code == 0, f"{' '.join(command)}\n{shown.err}"
        elif command[:4] == [ELSEWHERE, "-m", "pip", "install"]:
            installed.append(set(command[4:]))
        elif command[0] == ELSEWHERE:
            script = tmp_path / command[1]
            needs = re.search(r"pip install (.*)", (script.parent / "README.md").read_text("utf-8"))
            assert needs is not None
            assert installed[-1] == set(needs[1].split())
            photos = sorted(tmp_path.glob(command[2]))
            assert len(photos) == 6
            printed.append(run_script(script.parent, *photos))
        else:
            assert command == ["python3", "-m", "venv", "elsewhere"]
    with open(tmp_path / "predictions.csv", newline="", encoding="utf-8") as file:
        expected = {Path(row["image"]).name: row["class"] for row in csv.DictReader(file)}
    assert len(expected) == 6
    assert len(printed) == 2
    for lines in printed:
        found = [re.fullmatch(r"(.*): (\w+) [\d.]+", line) for line in lines]
        assert {Path(one[1]).name: one[2] for one in found if one} == expected
