"""The notebooks of docs/notebooks run where tuner is installed from a wheel, without a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.built_wheel import ROOT, built_wheel

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
_CELL_TIMEOUT_S = 1800
# In a process of its own: what nbclient does with event loops stays out of this one.
_EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
resources = {"metadata": {"path": sys.argv[2]}}
client = NotebookClient(
    notebook, timeout=int(sys.argv[4]), kernel_name="installed", resources=resources
)
try:
    client.execute()
finally:
    nbformat.write(notebook, sys.argv[3])
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, and beside it what this environment has."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = built_wheel(folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True)
    # Its own packages come first, so that the wheel goes before a checkout.
    requirements = Path(packages.stdout.strip()) / "requirements.pth"
    requirements.write_text(f"{sysconfig.get_path('purelib')}\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"]
    offline = ["--no-index", "--no-compile", "--ignore-installed"]
    subprocess.run([*pip, *offline, wheel], check=True, capture_output=True)
    return python


@pytest.fixture
def kernels(installed: Path, tmp_path: Path) -> Path:
    """A folder that names the kernel of that environment to Jupyter."""
    command = [str(installed), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = {"argv": command, "display_name": "installed", "language": "python"}
    folder = tmp_path / "jupyter" / "kernels" / "installed"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(kernel))
    return tmp_path / "jupyter"


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_notebook_holds_no_outputs_and_can_be_read_alone(path: Path) -> None:
    first, second, *_ = cells(path)
    assert first["cell_type"] == "markdown"
    assert "".join(first["source"]).startswith("# ")
    assert "%pip install" in "".join(second["source"])
    for cell in cells(path):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
        assert all(len(line.rstrip("\n")) <= 100 for line in cell["source"])


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_from_a_wheel(path: Path, kernels: Path, tmp_path: Path) -> None:
    place, done = tmp_path / "place", tmp_path / "done.ipynb"
    place.mkdir()
    # Warnings are printed, as for a reader, and nothing of this checkout is found.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = kept | {"JUPYTER_PATH": str(kernels), "IPYTHONDIR": str(tmp_path / "ipython")}
    arguments = [str(path), str(place), str(done), str(_CELL_TIMEOUT_S)]
    ended = subprocess.run(
        [sys.executable, "-c", _EXECUTE, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    outputs = json.dumps(cells(done))
    assert str(ROOT) not in outputs
