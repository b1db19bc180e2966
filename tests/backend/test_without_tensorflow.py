"""KERAS_BACKEND=jax: no process of a run imports TensorFlow, be it installed or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("jax", reason="JAX is not installed")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

# Whoever imports it, in whatever process, leaves a mark, and fails.
TRAP = """
import os, pathlib
pathlib.Path(os.environ["TRAP_MARK"]).write_text(f"process {os.getpid()}")
raise ImportError("TensorFlow was imported")
"""

SPACE = """
version: 1
dataset: digits
model: cnn
objective: val_accuracy
space: {conv_blocks: 1, filters: 2, dense_units: 8, learning_rate: [0.01, 0.001], batch_size: 128}
search: {method: random, max_epochs: 1, max_trials: 2}
compare: [baseline]
retrain: {epochs: 1, seeds: 1}
"""

PINNED = """
import os
from tuner.backend import environment
environment.prepare()
from tuner.backend.active import prepare_devices
prepare_devices(1)
import jax
jax.numpy.ones(3).sum().block_until_ready()
tasks = os.listdir("/proc/self/task")
names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in tasks]
print(os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"], names.count("tf_XLAEigen"))
"""


@pytest.fixture
def trapped(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which an import of TensorFlow is noticed.

    The tests share what JAX has compiled, which XLA does in a hurry: speed is not what they test.
    """
    package = tmp_path / "path" / "tensorflow"
    package.mkdir(parents=True)
    package.joinpath("__init__.py").write_text(TRAP, encoding="ascii")
    path = os.pathsep.join([str(package.parent), str(ROOT)])
    cache = str(tmp_path_factory.getbasetemp() / "jax")
    mark = str(tmp_path / "mark")
    return {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": path,
        "JAX_COMPILATION_CACHE_DIR": cache,
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
        "TRAP_MARK": mark,
    }


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_whole_run_imports_no_tensorflow(
    tmp_path: Path, trapped: dict[str, str], executor: str
) -> None:
    (tmp_path / "tiny.yaml").write_text(SPACE, encoding="utf-8")
    options = [
        "--space",
        "tiny.yaml",
        "--limit",
        "80",
        "--executor",
        executor,
        "--workers",
        "1",
        "--out",
        "out",
    ]
    command = [sys.executable, "-m", "tuner", "run", "digits", *options]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, env=trapped, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "mark").exists(), done.stderr
    (run,) = (tmp_path / "out" / "digits").iterdir()
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert results["run"]["hardware"]["KERAS_BACKEND"] == "jax"
    assert results["run"]["hardware"]["acceleration"] == "none"
    assert "jax" in results["run"]["versions"]
    assert [model["name"] for model in results["models"]] == ["tuned", "baseline"]
    assert (run / "model.keras").is_file()


def test_training_has_one_thread_and_takes_no_gpu_memory_in_advance(
    trapped: dict[str, str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PINNED], env=trapped, capture_output=True, text=True, check=True
    )
    assert done.stdout == "false 1\n"
