"""Kills `predict`, `train` and `datasets fetch` at random moments, and checks what is left.

The signal is SIGKILL.

    python -m tests.soak.kill_commands [--fakes 240] [--real 6] [--seed 0]

Nothing may be half written under its own name, and the next command of the kind must come to its
end and leave no file behind but its own. Of the fakes, networks are made up (milliseconds, no
framework is loaded) and downloads come from a folder: they are forked from this process. The real
ones are whole commands. Prints a line per case; exits with 1 if any left something, or if fewer
than half were killed before their end.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGKILL
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from tests.soak.children import started

CLASSES = ("cat", "dog")
N_FILES = 12
CARD = """
name: pets
title: Pets
files: {type: class_folders, path: pets/images}
image: {height: 8, width: 8, channels: 1}
kaggle: {dataset: some/pets, files: {pets/images: images}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A command to kill.

    Attributes:
        name: What it is called.
        prepare: Fills a folder with what it needs.
        start: Starts it in such a folder; its process id.
        half_written: What is only half there after a kill; empty where nothing is.
        left_over: What lies about after the next command has ended well; empty where nothing does.
    """

    name: str
    prepare: Callable[[Path], None]
    start: Callable[[Path], int]
    half_written: Callable[[Path], str]
    left_over: Callable[[Path], str]


def main() -> int:
    """Run all cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fakes", type=int, default=240)
    parser.add_argument("--real", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    generator, n_wrong, n_killed = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for kinds, n in ((FAKES, options.fakes), (REAL, options.real)):
            for number, kind in enumerate(kinds):
                share = len(range(number, n, len(kinds)))
                wrong, killed = cases(kind, share, generator, root / f"{kind.name}-{n}")
                n_wrong, n_killed = n_wrong + wrong, n_killed + killed
    n = options.fakes + options.real
    print(f"{n_killed} of {n} cases were killed before their end; {n_wrong} of {n} went wrong")
    return 1 if n_wrong or n_killed < n / 2 else 0


def cases(kind: Kind, n: int, generator: random.Random, root: Path) -> tuple[int, int]:
    """Run some cases of a kind; how many went wrong, and how many were killed before their end."""
    if not n:
        return 0, 0
    kind.prepare(root)
    undisturbed = _copy(root)
    began_s = time.monotonic()
    assert _ended(kind.start(undisturbed)) == 0, (undisturbed / "chatter.txt").read_text()
    assert not kind.left_over(undisturbed), kind.left_over(undisturbed)
    longest_s = time.monotonic() - began_s
    n_wrong = n_killed = 0
    for number in range(n):
        place, delay_s = _copy(root), generator.random() * longest_s
        pid = kind.start(place)
        _wait(delay_s)
        os.kill(pid, SIGKILL)
        is_killed = _ended(pid) != 0
        problem = kind.half_written(place)
        if not problem and _ended(kind.start(place)):
            problem = (
                "the next command failed:"
                f" {(place / 'chatter.txt').read_text(errors='replace')[-2000:]}"
            )
        problem = problem or kind.left_over(place)
        n_wrong, n_killed = n_wrong + bool(problem), n_killed + is_killed
        print(
            f"{kind.name} {number}: killed after {delay_s:.3f} s: {problem or 'as wanted'}",
            flush=True,
        )
        shutil.rmtree(place)
    return n_wrong, n_killed


def _copy(root: Path) -> Path:
    place = Path(tempfile.mkdtemp(prefix=f"{root.name}-", dir=root.parent))
    return Path(shutil.copytree(root, place, dirs_exist_ok=True))


def _wait(delay_s: float) -> None:
    end_s = time.monotonic() + delay_s
    while time.monotonic() < end_s:
        pass  # Finer than the sleep of some systems, since a fake takes milliseconds.


def _ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forked(work: Callable[[Path], None]) -> Callable[[Path], int]:
    """Starts work in a process of its own, in the folder."""

    def start(place: Path) -> int:
        def work_there() -> None:
            os.chdir(place)
            work(place)

        return started(work_there, place / "chatter.txt")

    return start


def write_images(folder: Path) -> None:
    """Some images of each class, none like another."""
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for number in range(N_FILES):
            pixels = rng.integers(0, 256, size=(8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:02}.png")


def write_run(place: Path) -> None:
    """A run's recipe with its images."""
    from tests.store.recipes import make_recipe
    from tuner.production.recipe_images import recipe_settings
    from tuner.records.image import ImageSpec
    from tuner.space.split_settings import SplitSettings
    from tuner.store.recipe_file import write_recipe

    write_images(place / "images")
    image = ImageSpec(
        height=8, width=8, channels=1, class_names=CLASSES, mean=(127.0,), std=(70.0,)
    )
    made = make_recipe()
    data = replace(made.data, name="images", split=SplitSettings(seed=0))
    recipe = replace(
        made, values={"batch_size": 8}, image=image, data=data, max_epochs=2, patience=2
    )
    assert recipe_settings(recipe).shape == (8, 8, 1)
    write_recipe(recipe, place / "best.yaml", "")
    (place / "model.keras").write_bytes(b"made up")


def fetch(place: Path) -> None:
    """`datasets fetch` from a folder in place of Kaggle."""
    from tuner.commands.fetch import fetch as fetch_command

    def download(handle: str, path: str | None = None) -> str:
        del path
        into = Path(os.environ["KAGGLEHUB_CACHE"]) / handle
        shutil.copytree(place / "kaggle", into, dirs_exist_ok=True)
        return str(into)

    module, exceptions = ModuleType("kagglehub"), ModuleType("kagglehub.exceptions")
    module.dataset_download = download  # type: ignore[attr-defined]
    for name in (
        "CredentialError",
        "DataCorruptionError",
        "KaggleApiHTTPError",
        "UnauthenticatedError",
    ):
        setattr(exceptions, name, type(name, (Exception,), {}))
    sys.modules |= {"kagglehub": module, "kagglehub.exceptions": exceptions}
    fetch_command("pets", place / "data")


def write_source(place: Path) -> None:
    """A card, and what Kaggle would send."""
    write_images(place / "kaggle" / "images")
    (place / "datasets").mkdir()
    (place / "datasets" / "pets.yaml").write_text(CARD)


def half_fetched(place: Path) -> str:
    """Images that are there in part."""
    there = list((place / "data" / "pets" / "images").rglob("*.png"))
    if len(there) not in (0, len(CLASSES) * N_FILES):
        return f"{len(there)} images are in their place"
    sent = place / "kaggle" / "images"
    top = place / "data" / "pets" / "images"
    damaged = [
        path for path in there if path.read_bytes() != (sent / path.relative_to(top)).read_bytes()
    ]
    return f"{damaged[0]} is damaged" if damaged else ""


def left_by_fetch(place: Path) -> str:
    """What is there beside the images, the list of them, and the lock."""
    files = {
        path.relative_to(place / "data").as_posix()
        for path in (place / "data").rglob("*")
        if path.is_file()
    }
    images = {
        f"pets/images/{name}/{number:02}.png" for name in CLASSES for number in range(N_FILES)
    }
    if images - files:
        return f"{len(images - files)} images are missing"
    if "pets/.fetched.json" not in files:
        return "the list of files is missing"
    return _named(files - images - {"pets/.fetched.json", ".fetching/pets.lock"})


def draw(place: Path) -> None:
    """`predict --picture` with a made-up model."""
    from tuner.commands import predict
    from tuner.production.named_images import NamedImage

    class MadeUp:
        def __init__(self, chosen: Any) -> None:
            del chosen

        def probabilities(self, pixels: np.ndarray) -> np.ndarray:
            return np.full((len(pixels), len(CLASSES)), 1 / len(CLASSES))

    predict.LoadedModel = MadeUp  # type: ignore[assignment,misc]
    assert (
        len(
            list(
                predict.predict(
                    predict.PredictOptions(run=place, picture=place / "out.png"),
                    [NamedImage(name=str(place / "images" / "cat" / "00.png"))],
                    lambda line: None,
                ).found
            )
        )
        == 1
    )


def half_drawn(place: Path) -> str:
    """A picture that is cut off."""
    if not (place / "out.png").exists():
        return ""
    try:
        with Image.open(place / "out.png") as picture:
            picture.load()
    except OSError as error:
        return f"the picture is damaged: {error}"
    return ""


def left_by_predict(place: Path) -> str:
    """What is there beside the picture."""
    if not (place / "out.png").exists():
        return "there is no picture"
    return _named({path.name for path in place.iterdir()} - {*_GIVEN, "out.png"})


def train(place: Path) -> None:
    """`train` with a made-up training that writes its checkpoint, and a made-up saved model."""
    from tuner.commands import train as train_command
    from tuner.production import recipe_training
    from tuner.records.training import EpochMetrics
    from tuner.store.files.leftovers import writer
    from tuner.store.files.whole_files import write_atomically

    class Executor:
        def __init__(self, reports: Any) -> None:
            self.task: Any = None

        def add_data(self, name: str, data: Any) -> None:
            """Nothing is read."""

        def submit(self, task: Any) -> None:
            self.task = task

        def next_result(self) -> Any:
            for _ in range(5):
                with write_atomically(self.task.save_to) as file:
                    file.write(bytes(100_000))
            epoch = EpochMetrics(epoch=1, metrics={"val_accuracy": 0.5}, duration_s=0.0)
            return SimpleNamespace(failure=None, best_epoch=1, epochs=(epoch,))

    def save_model(model: Any, path: Path, image_spec: Any) -> Path:
        # As the real one names what it writes.
        temporary = path.with_name(f".{writer()}-{path.name}")
        with open(temporary, "wb") as file:
            for _ in range(20):
                file.write(bytes(10_000))
        os.replace(temporary, path)
        return path

    def keep(contender: Any, trained: Any, dataset: Any, folder: Any) -> Any:
        file = save_model(None, folder.model, dataset.spec)
        return SimpleNamespace(training=trained[0], file=file)

    for name, parts in {
        "tuner.backend.active": {"prepare_devices": lambda n_threads: None},
        "tuner.execution.inline": {"InlineExecutor": Executor},
        "tuner.evaluation.evaluate": {
            "evaluate": lambda *_: (SimpleNamespace(error=None, runs=()), {})
        },
    }.items():
        module = ModuleType(name)
        vars(module).update(parts)
        sys.modules[name] = module
    recipe_training._keep = keep
    # The numbers of the machine, and the page, need the framework.
    train_command.write_trained = lambda *_: None  # type: ignore[assignment]
    train_command.train(train_options(place), lambda event: None)


def train_options(place: Path) -> Any:
    """The options of both kinds of training."""
    from tuner.production.train_options import TrainOptions

    return TrainOptions(source=place, out=place / "out", data_dir=place / "data")


def half_trained(place: Path) -> str:
    """A model that is cut off."""
    path = place / "out/model.keras"
    return (
        f"the model has {path.stat().st_size} bytes"
        if path.exists() and path.stat().st_size != 200_000
        else ""
    )


def left_by_train(place: Path) -> str:
    """What is there beside the model and the cache of decoded images."""
    if not (place / "out/model.keras").exists():
        return "there is no model"
    if left := {path.name for path in (place / "out").iterdir()} - set(_TRAINED):
        return _named(left)
    caches = [
        path
        for path in (place / "data" / ".cache").glob("images-*")
        if not path.name.endswith("-features")
    ]
    if len(caches) != 1 or not (caches[0] / "meta.json").exists():
        return f"the cache holds {len(caches)} entries of the images"
    return _named({path.name for path in place.iterdir()} - {*_GIVEN, "out", "data"})


def _named(names: set[str]) -> str:
    return f"it left {', '.join(sorted(names))}" if names else ""


def called(*arguments: str) -> Callable[[Path], int]:
    """Starts a whole command in the folder."""

    def start(place: Path) -> int:
        with open(place / "chatter.txt", "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tuner", *arguments], cwd=place, stdout=log, stderr=log
            ).pid

    return start


def write_trained(place: Path) -> None:
    """A recipe with images and a model that was trained by it."""
    write_run(place)
    assert _ended(_train(place)) == 0, (place / "chatter.txt").read_text()
    (place / "out/model.keras").replace(place / "model.keras")
    shutil.rmtree(place / "out")
    shutil.rmtree(place / "data")


def half_saved(place: Path) -> str:
    """A model that is no whole zip."""
    path = place / "out/model.keras"
    with suppress(FileNotFoundError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        return f"{bad} of the model is damaged" if (bad := archive.testzip()) else ""
    return "the model is damaged" if path.exists() else ""


_GIVEN = ("images", "best.yaml", "model.keras", "chatter.txt")
_TRAINED = ("best.yaml", "model.keras", "report.html", "results.json")
_train = called("train", "--from", ".", "--out", "out", "--data-dir", "data")
_draw = called("predict", ".", "images/cat/00.png", "--picture", "out.png")

FAKES = (
    Kind(
        name="fetch",
        prepare=write_source,
        start=forked(fetch),
        half_written=half_fetched,
        left_over=left_by_fetch,
    ),
    Kind(
        name="draw",
        prepare=write_run,
        start=forked(draw),
        half_written=half_drawn,
        left_over=left_by_predict,
    ),
    Kind(
        name="train",
        prepare=write_run,
        start=forked(train),
        half_written=half_trained,
        left_over=left_by_train,
    ),
)
REAL = (
    Kind(
        name="predict",
        prepare=write_trained,
        start=_draw,
        half_written=half_drawn,
        left_over=left_by_predict,
    ),
    Kind(
        name="training",
        prepare=write_run,
        start=_train,
        half_written=half_saved,
        left_over=left_by_train,
    ),
)


def load_everything() -> None:
    """Import what the fakes need once, before they are forked."""
    for name in (
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
        "tuner.commands.fetch",
        "tuner.commands.predict",
        "tuner.commands.train",
        "tuner.report.charts.prediction_chart",
        "tuner.data.folders.class_images",
    ):
        importlib.import_module(name)


if __name__ == "__main__":
    load_everything()
    sys.exit(main())
