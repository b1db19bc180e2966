"""Files that would run code, or write outside of their folder, handed to every command."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

from tests.cli.calling import Outcome, call
from tests.commands.finished import Finished
from tuner.training.checkpoint import load_checkpoint

# Writes a hostile file into a run's folder; opened without care, it makes the marker.
Spoil = Callable[[Path, Path], None]


class _Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.marker),)


def pickled(marker: Path) -> bytes:
    return pickle.dumps(_Payload(marker))


def pickled_array(marker: Path) -> np.ndarray:
    array = np.empty(1, dtype=object)
    array[0] = _Payload(marker)
    return array


def tag(marker: Path) -> str:
    return f"!!python/object/apply:os.mkdir [{json.dumps(str(marker))}]"


def model_of_pickle(run: Path, marker: Path) -> None:
    _in_place_of_models(run, lambda path: path.write_bytes(pickled(marker)))


def model_with_lambda(run: Path, marker: Path) -> None:
    # Written out, so that the path stands in the code that Keras saves.
    code = f"lambda x: (__import__('os').makedirs({str(marker)!r}, exist_ok=True), x)[1]"
    images = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(keras.layers.Lambda(eval(code))(images))
    model = keras.Model(images, keras.layers.Dense(3, activation="softmax")(flat))
    marker.rmdir()
    _in_place_of_models(run, model.save)


def model_of_a_function(run: Path, marker: Path) -> None:
    config = {
        "module": "os",
        "class_name": "mkdir",
        "config": str(marker),
        "registered_name": "mkdir",
    }

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": keras.__version__}))
            archive.writestr("config.json", json.dumps(config))
            archive.writestr("model.weights.h5", b"")
            for depth in range(1, 9):
                archive.writestr("../" * depth + f"{marker.name}/x", "out")

    _in_place_of_models(run, write)


def hdf5_with_lambda(run: Path, marker: Path) -> None:
    """Keras' older format, under the name of the newer one."""
    model_with_lambda(run, marker)
    model = keras.models.load_model(run / "model.keras", compile=False, safe_mode=False)
    shutil.rmtree(marker, ignore_errors=True)
    model.save(run / "old.h5")
    shutil.rmtree(marker, ignore_errors=True)
    _in_place_of_models(run, lambda path: shutil.copy(run / "old.h5", path))


def _in_place_of_models(run: Path, write: Callable[[Path], object]) -> None:
    for path in (run / "model.keras", *(run / "models").glob("*.keras")):
        path.unlink()
        write(path)


def recipe_with_tag(run: Path, marker: Path) -> None:
    for path in (run / "best.yaml", *(run / "models").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("title: ", f"title: {tag(marker)} # "), encoding="utf-8")


def config_with_tag(run: Path, marker: Path) -> None:
    with (run / "config.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\nmore: {tag(marker)}\n")


def builder_in_the_run(run: Path, marker: Path) -> None:
    """Code that lies in the folder of a run which somebody else has sent."""
    code = f"import os\n\nos.mkdir({str(marker)!r})\n\n\ndef build(hp):\n    pass\n"
    (run / "sent_builder.py").write_text(code)
    (run / "models" / "sent_builder.py").write_text(code)
    for path in (run / "best.yaml", *(run / "models").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("model: cnn", "model: sent_builder:build"), encoding="utf-8")
    _in_place_of_models(run, lambda path: path.write_bytes(b"broken"))


def predictions_of_objects(run: Path, marker: Path) -> None:
    path = run / "predictions.npz"
    with np.load(path) as archive:
        names = archive.files
    np.savez(path, **dict.fromkeys(names, pickled_array(marker)))


def results_that_climb(run: Path, marker: Path) -> None:
    """Each text that may become a path leads out of the folder."""
    text = (run / "results.json").read_text(encoding="utf-8")
    results = json.loads(text)
    out = f"../{marker.name}"
    results["run"].update(folder=out, run_id=out)
    results["data"]["name"] = out
    for model in results["models"]:
        model["name"] = out
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")


MODELS = [model_of_pickle, model_with_lambda, model_of_a_function, hdf5_with_lambda]
DOCUMENTS = [recipe_with_tag, builder_in_the_run, config_with_tag]
NUMBERS = [predictions_of_objects, results_that_climb]
COMMANDS = {
    "train": ("train", "--from", "run", "--out", "out"),
    "predict": ("predict", "run", "photo.png"),
    "export": ("export", "run", "--format", "keras", "--out", "out"),
    "labels": ("labels", "run", "--folds", "2", "--out", "out.csv"),
    "report": ("report", "run"),
    "compare": ("compare", "run", "--out", "reports"),
    "refine": ("refine", "run", "--out", "refined.yaml"),
    "track": ("track", "run", "--to", "tensorboard"),
    "serve": ("serve", "run", "--port", "0"),
}
# What reads a hostile file cannot go on; the others need nothing of it.
REFUSED = {
    **{spoil: {"predict", "export", "serve"} for spoil in MODELS},
    recipe_with_tag: {"train", "predict", "export", "labels", "serve"},
    builder_in_the_run: {"train", "predict", "export", "labels", "serve"},
}


@pytest.fixture
def sent(finished: Finished, copied: Path) -> Path:
    """A working directory with a run that somebody else has sent."""
    del finished
    shutil.copy(next((copied / "my photos").rglob("00.png")), copied / "photo.png")
    return copied


def marker_in(place: Path) -> Path:
    """What a payload makes; its name is no other test's, wherever it is made."""
    return place / f"executed-{place.name}"


def assert_nothing_ran(place: Path, marker: Path, shown: Outcome) -> None:
    assert not marker.exists(), shown.err
    assert not [above for above in place.parents if (above / marker.name).exists()]
    assert "Traceback" not in shown.err
    assert shown.code == 0 or "  Fix: " in shown.err, shown.err


CELLS = [
    # All together take a minute, so that a few stand for them as a rule.
    pytest.param(
        command,
        spoil,
        id=f"{command}-{spoil.__name__}",
        marks=() if command == "export" and spoil in MODELS else pytest.mark.slow,
    )
    for command in COMMANDS
    for spoil in (*MODELS, *DOCUMENTS, *NUMBERS)
    # It would serve until it is stopped.
    if command != "serve" or command in REFUSED.get(spoil, ())
]


@pytest.mark.parametrize(("command", "spoil"), CELLS)
def test_run_that_was_sent_runs_nothing(sent: Path, command: str, spoil: Spoil) -> None:
    marker = marker_in(sent)
    spoil(sent / "run", marker)
    assert not marker.exists()
    shown = call(*COMMANDS[command], cwd=sent)
    assert_nothing_ran(sent, marker, shown)
    assert (shown.code != 0) >= (command in REFUSED.get(spoil, ())), shown.out


@pytest.mark.parametrize("spoil", [model_with_lambda, hdf5_with_lambda])
def test_model_would_run_its_code_where_it_is_trusted(sent: Path, spoil: Spoil) -> None:
    marker = marker_in(sent)
    spoil(sent / "run", marker)
    file = sent / "run" / ("old.h5" if spoil is hdf5_with_lambda else "model.keras")
    keras.models.load_model(file, compile=False, safe_mode=False)
    assert marker.exists()


def test_pickles_and_tags_would_run_their_code_where_they_are_trusted(tmp_path: Path) -> None:
    pickle.loads(pickled(tmp_path / "a"))
    yaml.unsafe_load(tag(tmp_path / "b"))
    np.savez(tmp_path / "x.npz", x=pickled_array(tmp_path / "c"))
    with np.load(tmp_path / "x.npz", allow_pickle=True) as archive:
        assert archive["x"].dtype == object
    assert all((tmp_path / name).is_dir() for name in "abc")


def arrays_of_objects(place: Path, marker: Path) -> str:
    np.savez(place / "hostile.npz", x=pickled_array(marker), y=np.zeros(1))
    return "hostile.npz"


def array_of_objects(place: Path, marker: Path) -> str:
    (place / "hostile").mkdir()
    np.save(place / "hostile/x.npy", pickled_array(marker))
    np.save(place / "hostile/y.npy", np.zeros(1))
    return "hostile"


def climbing_zip(place: Path, marker: Path) -> str:
    with zipfile.ZipFile(place / "hostile.zip", "w") as archive:
        archive.writestr("cat/a.png", (place / "photo.png").read_bytes())
        for depth in range(1, 9):
            archive.writestr("../" * depth + marker.name, "out")
    return "hostile.zip"


def climbing_tar(place: Path, marker: Path) -> str:
    with tarfile.open(place / "hostile.tar", "w") as archive:
        archive.add(place / "photo.png", "cat/a.png")
        link = tarfile.TarInfo("cat/link")
        link.type, link.linkname = tarfile.SYMTYPE, ".."
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo(f"cat/link/../../{marker.name}"), io.BytesIO())
    return "hostile.tar"


def table_that_climbs(place: Path, marker: Path) -> str:
    """A list of files in a folder that leads out of it."""
    (place / "hostile").mkdir()
    rows = [f"../photo.png,{name}" for name in ("cat", "dog")]
    (place / "hostile/list.csv").write_text("\n".join(["file,label", *rows]), encoding="utf-8")
    del marker
    return "hostile"


def pickled_images(place: Path, marker: Path) -> str:
    for name in ("cat", "dog"):
        (place / "hostile" / name).mkdir(parents=True)
        (place / "hostile" / name / "a.png").write_bytes(pickled(marker))
    return "hostile"


def card_with_tag(place: Path, marker: Path) -> str:
    (place / "datasets").mkdir()
    (place / "datasets/hostile.yaml").write_text(f"name: {tag(marker)}\n", encoding="utf-8")
    return "hostile"


DATA = [
    arrays_of_objects,
    array_of_objects,
    climbing_zip,
    climbing_tar,
    table_that_climbs,
    pickled_images,
    card_with_tag,
]
READERS = {
    "run": ("run", "DATA", "--executor", "inline", "--preset", "quick"),
    "plan": ("plan", "DATA"),
    "check": ("datasets", "check", "DATA"),
    "train": ("train", "--from", "run", "--out", "out", "--data", "DATA"),
    "export": ("export", "run", "--format", "keras", "--out", "out", "--data", "DATA"),
}


@pytest.mark.slow
@pytest.mark.parametrize("make", DATA, ids=lambda one: one.__name__)
@pytest.mark.parametrize("command", READERS)
def test_data_that_were_sent_run_nothing(
    sent: Path, command: str, make: Callable[[Path, Path], str]
) -> None:
    marker = marker_in(sent)
    data = make(sent, marker)
    named = data if make is card_with_tag else f"./{data}"
    words = (named if word == "DATA" else word for word in READERS[command])
    shown = call(*words, "--data-dir", sent / "data", cwd=sent)
    assert_nothing_ran(sent, marker, shown)
    assert shown.code in (2, 4)
    assert not list(sent.glob("out/*"))


@pytest.mark.parametrize("make", [arrays_of_objects, pickled_images], ids=lambda one: one.__name__)
def test_predict_reads_no_pickle_as_an_image(sent: Path, make: Callable[[Path, Path], str]) -> None:
    marker = marker_in(sent)
    shown = call("predict", "run", make(sent, marker), cwd=sent)
    assert not marker.exists()
    assert shown.code == 4


@pytest.mark.parametrize(
    "words",
    [
        ("run", "my photos", "--space", "sent.yaml"),
        ("plan", "my photos", "--space", "sent.yaml"),
        ("validate", "sent.yaml"),
    ],
    ids=lambda words: words[0],
)
def test_space_with_a_tag_is_refused(sent: Path, words: tuple[str, ...]) -> None:
    marker = marker_in(sent)
    (sent / "sent.yaml").write_text(f"version: 1\nmodel: {tag(marker)}\n", encoding="utf-8")
    shown = call(*words, cwd=sent)
    assert_nothing_ran(sent, marker, shown)
    assert shown.code == 2


def test_checkpoint_of_objects_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    np.savez(tmp_path / "x.npz", pickled_array(marker), about=pickled_array(marker))
    with pytest.raises(ValueError, match=r"^x\.npz is damaged$"):
        load_checkpoint(tmp_path / "x.npz")
    assert not marker.exists()
