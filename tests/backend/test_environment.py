"""Settings that are read when a framework is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tuner.backend import environment
from tuner.errors import ConfigurationError

NAMES = ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND", "TUNER_ACCELERATION")


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        # Set first, so that whatever `prepare` writes is undone after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.delitem(sys.modules, "keras", raising=False)


def installed(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    monkeypatch.setattr(environment, "_is_installed", lambda package: package in packages)


@pytest.mark.usefixtures("unset")
def test_prepare_switches_onednn_on_and_names_the_default_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(monkeypatch, "tensorflow", "jax")
    assert set(environment.settings().values()) == {""}
    environment.prepare()
    assert environment.settings() == {
        "KERAS_BACKEND": "tensorflow",
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TUNER_ACCELERATION": "auto",
    }


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("before", [None, ""], ids=["not set", "empty"])
def test_backend_is_jax_where_there_is_no_tensorflow(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    installed(monkeypatch, "jax")
    if before is not None:
        monkeypatch.setenv("KERAS_BACKEND", before)
    environment.prepare()
    assert environment.settings()["KERAS_BACKEND"] == "jax"


@pytest.mark.usefixtures("unset")
def test_backend_is_that_of_a_keras_that_was_imported_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(monkeypatch, "tensorflow", "jax")
    keras = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    environment.prepare()
    assert environment.settings()["KERAS_BACKEND"] == "jax"


@pytest.mark.usefixtures("unset")
def test_prepare_leaves_what_a_person_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "tensorflow", "jax")
    wanted = {"KERAS_BACKEND": "jax", "TF_ENABLE_ONEDNN_OPTS": "0", "TUNER_ACCELERATION": "off"}
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    environment.prepare()
    assert environment.settings() == wanted
    assert not environment.is_accelerated()


@pytest.mark.usefixtures("unset")
def test_backend_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "tensorflow")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(ConfigurationError) as caught:
        environment.prepare()
    assert caught.value.message == "Keras' backend is jax, which is not installed"
    assert (
        caught.value.hint
        == 'python -m pip install tensorflow, or python -m pip install "jax>=0.6" and set'
        " KERAS_BACKEND=jax."
    )


@pytest.mark.usefixtures("unset")
def test_misspelt_acceleration_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_ACCELERATION", "of")
    with pytest.raises(ConfigurationError) as caught:
        environment.prepare()
    assert caught.value.message == 'TUNER_ACCELERATION is "of"; expected auto or off'


CACHE = (
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_COMPILATION_CACHE_MAX_SIZE",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
)


@pytest.fixture
def on_jax(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unset: None) -> Path:
    """JAX is asked for, and nothing is known of its cache; the folder for all caches."""
    for name in CACHE:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    installed(monkeypatch, "jax")
    return tmp_path / "caches"


def test_precision_of_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_PRECISION", "bfloat16")
    with pytest.raises(ConfigurationError) as caught:
        environment.prepare()
    assert caught.value.message == (
        'TUNER_PRECISION is "bfloat16"; expected auto, float32, mixed_float16, mixed_bfloat16'
    )


def test_what_jax_compiles_is_kept_for_other_processes(on_jax: Path) -> None:
    environment.prepare()
    assert [os.environ[name] for name in CACHE] == [str(on_jax / "tuner" / "jax"), str(2**30), "0"]
    assert (on_jax / "tuner" / "jax").is_dir()


def test_persons_own_cache_of_jax_stays(on_jax: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE[0], "elsewhere")
    environment.prepare()
    assert os.environ[CACHE[0]] == "elsewhere"
    assert not on_jax.exists()


def test_where_no_folder_can_be_made_jax_keeps_nothing(on_jax: Path) -> None:
    on_jax.write_text("a file", encoding="ascii")
    environment.prepare()
    assert [name for name in CACHE if name in os.environ] == []


@pytest.fixture
def driver_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What NVIDIA's driver tells of three GPUs of two models."""
    monkeypatch.setattr(environment, "_GPUS", tmp_path)
    for number, model in enumerate(["Tesla T4", "NVIDIA L4", "Tesla T4"]):
        folder = tmp_path / f"0000:0{number}:00.0"
        folder.mkdir()
        folder.joinpath("information").write_text(
            f"Model: \t\t {model}\nIRQ:   \t\t 16\n", encoding="utf-8"
        )
    return tmp_path


@pytest.mark.usefixtures("driver_folder")
def test_all_gpus_of_the_driver_are_used_unless_some_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert environment.gpus() == ["0", "1", "2"]
    assert environment.gpu_models() == "NVIDIA L4, Tesla T4"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-1a")
    assert environment.gpus() == ["2", "GPU-1a"]


@pytest.mark.usefixtures("driver_folder")
@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus_are_none(monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert environment.gpus() == []
    assert environment.gpu_models() == "none"


def test_machine_without_the_driver_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(environment, "_GPUS", tmp_path / "gpus")
    assert (environment.gpus(), environment.gpu_models()) == ([], "none")


def test_gpu_that_only_its_name_tells_of_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(environment, "_GPUS", tmp_path / "gpus")
    assert environment.gpu_models() == "unknown"


def write_keras_json(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(folder))
    (folder / "keras.json").write_text(text, encoding="utf-8")
    return folder / "keras.json"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '{"floatx": "bfloat16"}',
            'floatx is "bfloat16"; Keras expects float16 or float32 or float64',
        ),
        ('{"epsilon": "small"}', 'epsilon is "small"; Keras expects a float'),
        ("[]", "Keras cannot read its settings there"),
    ],
)
def test_keras_json_that_keras_refuses_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    path = write_keras_json(tmp_path, monkeypatch, text)
    with pytest.raises(ConfigurationError) as caught:
        environment.prepare()
    assert caught.value.message == f"{path}: {problem}"


@pytest.mark.slow
def test_keras_json_of_another_project_changes_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = '{"floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first"}'
    write_keras_json(tmp_path, monkeypatch, settings)
    # The quickest backend to import.
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    code = (
        "import tuner.backend.active, keras\n"
        "print(keras.config.image_data_format(), keras.config.floatx(), keras.config.epsilon())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "channels_last float32 1e-07\n"
