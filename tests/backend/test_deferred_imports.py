"""Modules that are loaded when they are first used."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from types import ModuleType

import pytest

from tuner.backend.deferred_imports import DeferringFinder, defer_imports


@pytest.fixture(autouse=True)
def finders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # What the tests' own start has deferred.
    others = [finder for finder in sys.meta_path if not isinstance(finder, DeferringFinder)]
    monkeypatch.setattr(sys, "meta_path", others)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `slowpack` with a module `part`, both of which leave a mark when they run."""
    folder = tmp_path / "slowpack"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import builtins\nbuiltins.marks.append('package')\none = 1"
    )
    (folder / "part.py").write_text("import builtins\nbuiltins.marks.append('part')\ntwo = 2")
    (folder / "other.py").write_text("import slowpack\nthree = slowpack.one + 2")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("builtins.marks", [], raising=False)
    return folder


def marks() -> list[str]:
    import builtins

    found: list[str] = builtins.marks  # type: ignore[attr-defined]
    return found


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_module_runs_at_its_first_use_and_once(package: Path) -> None:
    defer_imports([r"slowpack(\.part)?"])
    part, whole = load("slowpack.part"), load("slowpack")
    assert load("slowpack.part") is part and whole.part is part and whole.__file__
    assert marks() == []
    assert part.two == 2 and whole.one == 1 and part.two == 2
    assert marks() == ["package", "part"]
    assert part.__spec__ is not None and part.__loader__ is part.__spec__.loader
    with pytest.raises(AttributeError, match=r"part.* has no attribute 'three'"):
        _ = part.three


def test_part_of_a_deferred_package_that_is_not_deferred_finds_it_loaded(package: Path) -> None:
    defer_imports(["slowpack"])
    assert load("slowpack.other").three == 3
    assert marks() == ["package"]


def test_a_public_name_keeps_its_module_where_a_folder_is_called_the_same(package: Path) -> None:
    """As `tf.lite`, which is tensorflow/_api/v2/lite and not the folder tensorflow/lite."""
    (package / "api").mkdir()
    (package / "api" / "part.py").write_text("from slowpack.part import two")
    (package / "__init__.py").write_text("from slowpack.api import part")
    defer_imports([r"slowpack\.api\.part"])
    whole = load("slowpack")
    for _ in range(2):
        assert whole.part.__name__ == "slowpack.api.part"
        assert whole.part.two == 2


def test_module_that_cannot_be_loaded_says_so_at_each_use(package: Path) -> None:
    (package / "part.py").write_text("import no_such_module")
    defer_imports([r"slowpack\.part"])
    part = load("slowpack.part")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            _ = part.two


def test_missing_module_is_missing_at_once(package: Path) -> None:
    defer_imports([r"slowpack\..*"])
    with pytest.raises(ModuleNotFoundError, match=r"slowpack\.absent"):
        load("slowpack.absent")


def test_threads_wait_for_the_one_that_loads(package: Path) -> None:
    (package / "part.py").write_text(
        "import builtins, time\nbuiltins.marks.append('part')\ntime.sleep(0.2)\ntwo = 2"
    )
    defer_imports([r"slowpack\.part"])
    part, together, seen = load("slowpack.part"), Barrier(4), []

    def use() -> None:
        together.wait()
        seen.append(part.two)

    threads = [Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [2] * 4 and marks() == ["package", "part"]


@pytest.mark.slow
def test_keras_starts_without_what_it_rarely_needs_and_still_has_it(tmp_path: Path) -> None:
    script = """
import sys
from tuner.backend.environment import prepare
prepare()
import keras
rare = ("keras.src.callbacks.early_stopping", "sklearn.base", "matplotlib.pyplot")
early = [name for name in rare if name in sys.modules]
import keras_tuner
early += [name for name in rare[1:] if name in sys.modules]
from sklearn.metrics import accuracy_score
from keras.wrappers import SKLearnClassifier
SKLearnClassifier(keras.Sequential())
oracle = keras_tuner.oracles.BayesianOptimizationOracle(
    objective=keras_tuner.Objective("val_accuracy", "max"), max_trials=4, num_initial_points=2
)
hyperparameters = keras_tuner.HyperParameters()
hyperparameters.Float("rate", 0.0, 1.0)
oracle.update_space(hyperparameters)
oracle._set_project_dir(sys.argv[1], "search")
for _ in range(4):
    trial = oracle.create_trial("tuner0")
    oracle.update_trial(trial.trial_id, {"val_accuracy": trial.hyperparameters["rate"]})
    oracle.end_trial(trial)
has_all = callable(keras.visualization.plot_image_gallery) and keras.callbacks.EarlyStopping
print(early, accuracy_score([1, 0], [1, 1]), len(oracle.trials), bool(has_all))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False
    )
    # Keras Tuner prints a table for each trial.
    assert done.stdout.splitlines()[-1:] == ["[] 0.5 4 True"], done.stderr
