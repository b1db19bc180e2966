"""The source that a builder is made of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuner.models.source import source_digests


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a package and two modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    files = {
        "src_nets/__init__.py": "",
        "src_nets/small.py": (
            "from . import parts\nfrom src_common import width\nimport json\nimport tuner.errors\n"
        ),
        "src_nets/parts.py": "def late():\n    import src_late\n",
        "src_nets/other.py": "",
        "src_bare/deep.py": "from .beside import x\n",
        "src_bare/beside.py": "x = 1\n",
        "src_common.py": "width = 8\n",
        "src_late.py": "",
        "src_broken.py": "def build(:\n",
        "venv/lib/site-packages/src_lib.py": "import src_common\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    sys.path.append(str(tmp_path / "venv/lib/site-packages"))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("src_")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("model", "files"),
    [
        (
            "src_nets.small:build",
            [
                "src_common.py",
                "src_late.py",
                "src_nets/__init__.py",
                "src_nets/parts.py",
                "src_nets/small.py",
            ],
        ),
        ("src_bare.deep:build", ["src_bare/beside.py", "src_bare/deep.py"]),
        ("src_broken:build", ["src_broken.py"]),
        ("src_lib:build", ["src_lib.py"]),
        ("src_nowhere.at_all:build", []),
    ],
)
@pytest.mark.usefixtures("folder")
def test_source_is_the_module_and_what_it_imports_from_its_own_place(
    model: str, files: list[str]
) -> None:
    assert list(source_digests(model)) == files


def test_only_the_file_that_changed_has_another_digest(folder: Path) -> None:
    before = source_digests("src_nets.small:build")
    (folder / "src_common.py").write_text("width = 9\n", encoding="utf-8")
    after = source_digests("src_nets.small:build")
    assert [name for name in before if before[name] != after[name]] == ["src_common.py"]


def test_package_that_ends_the_process_has_no_source_here(folder: Path) -> None:
    (folder / "src_ending").mkdir()
    (folder / "src_ending" / "__init__.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    (folder / "src_ending" / "net.py").write_text("def build(hp): ...\n", encoding="utf-8")
    assert source_digests("src_ending.net:build") == {}
