"""Damages one file of a run at a time; its readers must report it in two lines, or do without.

Nothing else may come to harm.

    python -m tests.soak.fuzz_run_files [--cases 1000] [--seed 0] [--light] [--only NUMBER] [--keep
    FOLDER]

A finished run, an unfinished one, one more of each that nothing happens to, a cache and a recipe
with its model are made once. Each case copies them, damages a file, and lets `report`, `compare`, a
run that goes on, `predict` and the loaders read it; or writes down an error with a text that chance
makes. Wrong is: anything but success or an error with message and remedy; a damage that keeps
another run from being read; a file that is lost though it was good; over ten seconds. With --light
no framework is loaded, and no chart is drawn. What goes wrong is printed and kept in a folder;
exits with 1 if anything did.
"""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from tests.data.samples import make_card, write_fer
from tests.report.fixtures import results, trials
from tests.soak.damages import DAMAGES
from tests.soak.options import fuzz_options
from tests.store.recipes import make_recipe
from tuner.commands.compare import compare
from tuner.data.load import load_images
from tuner.errors import TunerError
from tuner.pipeline.open_run import open_run
from tuner.pipeline.outputs.run_page import rebuild
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.search_stage import _tell_what_is_there
from tuner.records.error_text import reason_of, short_line, traceback_of
from tuner.records.training import EpochMetrics, Failure
from tuner.records.trial import Trial
from tuner.report.charts import slices
from tuner.report.sections import curves, mattered, model_comparison, search_history
from tuner.report.sections.prediction_errors import reliability
from tuner.store.files.whole_files import json_line
from tuner.store.recipe_file import read_recipe, write_recipe
from tuner.store.run_folder import RunFolder
from tuner.store.search_log import SearchLog
from tuner.store.trial_tables import TrialTables

# Of processor time, whatever else the machine does; and by the clock, for what waits for ever.
LONGEST_S = 10.0
LONGEST_WAIT_S = 120.0
FINISHED, SOUND = (
    "reports/digits/20260101-000000-aaaaaaaa",
    "reports/digits/20260102-000000-bbbbbbbb",
)
UNFINISHED, OTHER = (
    "reports/digits/20260103-000000-cccccccc",
    "reports/digits/20260104-000000-dddddddd",
)
CARD = make_card({"type": "fer_csv", "path": "fer.csv"}, class_names=["no", "yes"])
OPTIONS = RunOptions(dataset="digits")
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def main() -> int:
    """Run the cases."""
    parser = fuzz_options(__doc__, 1000, "fuzz_run_files")
    parser.add_argument(
        "--light",
        action="store_true",
        help="load no framework: no model files, no replay of a search",
    )
    options = parser.parse_args()
    logging.getLogger("tuner").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGALRM, _too_long)
    signal.signal(signal.SIGPROF, _too_long)
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        if options.light:
            _draw_nothing()
        build(made, light=options.light)
        numbers = range(options.cases) if options.only is None else [options.only]
        for number in numbers:
            place = Path(folder) / "case"
            shutil.copytree(made, place, symlinks=True)
            what, problem, found = case(
                random.Random(f"{options.seed}-{number}"), place, light=options.light
            )
            ends.update(["wrong"] if problem else found)
            if problem:
                kept = options.keep / f"seed-{options.seed}-case-{number}"
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(place, kept, symlinks=True, ignore=_odd)
                print(f"case {number} ({what}), kept in {kept}: {problem}", flush=True)
            shutil.rmtree(place)
    shown = ", ".join(f"{n} times {end}" for end, n in sorted(ends.items()) if end != "wrong")
    print(f"{shown}; {ends['wrong']} of {len(numbers)} went wrong")
    return 1 if ends["wrong"] else 0


def build(root: Path, *, light: bool) -> None:
    """What every case starts from."""
    _finished(RunFolder(root / SOUND))
    shutil.copytree(root / SOUND, root / FINISHED)
    for place in (UNFINISHED, OTHER):
        _unfinished(RunFolder(root / place), light=light)
    (root / "data").mkdir()
    write_fer(root / "data/fer.csv", [0, 1, 0, 1])
    load_images(CARD, root / "data")
    if not light:
        _save_model(root / FINISHED / "model.keras")


def _finished(folder: RunFolder) -> None:
    epoch = EpochMetrics(epoch=1, metrics={"loss": 0.25, "val_accuracy": 0.5}, duration_s=1.0)
    found = [replace(trial, epochs=() if trial.error else (epoch,)) for trial in trials(9)]
    folder.create()
    tables = TrialTables(folder.path, ["filters_0", "dropout", "optimizer"])
    for trial in found:
        tables.keep(trial)
        _tell(folder, "TrialEnded", trial)
    run = results()
    # Few curves: drawing them takes most of the time.
    kept = tuple(
        replace(model, runs=tuple(run for run in model.runs if run.is_kept))
        for model in run.models[:1]
    )
    folder.write_results(replace(run, models=kept, search=replace(run.search, n_trials=len(found))))
    folder.write_config(_config(folder))
    write_recipe(make_recipe(), folder.recipe, "How to use it")
    folder.write_pictures({"a.png": _PNG})
    rebuild(folder)
    folder.finish()


def _unfinished(folder: RunFolder, *, light: bool) -> None:
    folder.create()
    folder.write_split([("a.png", "no", "train", "", "", ""), ("b.png", "yes", "test", "", "", "")])
    folder.write_config(_config(folder))
    tables, log = TrialTables(folder.path, ["x"]), folder.search_log
    for trial, state in _searched(light=light):
        if trial.score is None:
            log.started(trial, state)
            _tell(folder, "TrialStarted", trial)
        else:
            log.ended(trial)
            _tell(folder, "TrialEnded", trial)
            tables.keep(trial)
    with open(folder.log, "w", encoding="utf-8") as file:
        file.write("a line\n")


def _searched(*, light: bool) -> Iterator[tuple[Trial, dict[str, Any]]]:
    """Five trials that start, of which four end, each with the state of the search."""
    if not light:
        from tests.search.fakes import make_study

        study = make_study()
    for number in range(5):
        trial: Trial | None = Trial(
            trial_id=f"{number:04d}", values={"x": number / 10, "conv_blocks": 1}, bracket=2,
            rung=0, parent_id=None, first_epoch=1, last_epoch=1,
        )  # fmt: skip
        state: dict[str, Any] = {"rejected": {}, "is_exhausted": False}
        if not light:
            trial, state = study.next_trial(), study.state()
        assert trial
        yield trial, state
        if number < 4:
            epoch = EpochMetrics(
                epoch=1, metrics={"val_accuracy": trial.values["x"]}, duration_s=0.1
            )
            ended = replace(trial, score=trial.values["x"], epochs=(epoch,), duration_s=1.0)
            if not light:
                study.end(ended)
            yield ended, {}


def _tell(folder: RunFolder, kind: str, trial: Trial) -> None:
    from dataclasses import asdict

    folder.events.append(
        {"event": kind, "time_s": 1e9 + int(trial.trial_id), "trial": asdict(trial)}
    )


def _config(folder: RunFolder) -> dict[str, Any]:
    return {
        "started_at": "2026-01-01T00:00:00Z",
        "options": {"outer": None},
        "identity": identity_of(folder.path.name),
    }


def identity_of(name: str) -> dict[str, Any]:
    """What stands for the space and the data of a run."""
    return {
        "seed": 1,
        "data": {"test": name[-8:]},
        "space": {"parameters": [{"name": "x", "low": 0.0}]},
    }


def _draw_nothing() -> None:
    """Charts take most of the time."""
    for module in (reliability, curves, search_history, mattered, model_comparison, slices):
        module.draw = lambda *_, **__: Markup("<svg></svg>")  # type: ignore[attr-defined]


def _save_model(path: Path) -> None:
    from tests.images import SMALL_CNN, image_spec
    from tuner.models.registry import build as build_model
    from tuner.training.finished import save_model

    save_model(build_model("cnn", SMALL_CNN, image_spec()), path, image_spec())


def case(rng: random.Random, root: Path, *, light: bool) -> tuple[str, str, list[str]]:
    """Damage something and read it: what was done, what went wrong, and how the readers ended.

    What went wrong is empty if nothing did.
    """
    kinds: list[Callable[[random.Random, Path, bool], Iterator[str]]] = [
        finished,
        unfinished,
        unfinished,
        cached,
        said,
    ]
    kind = rng.choice(kinds[:3] * 3 + kinds[3:] if light else [*kinds[:3] * 3, *kinds[3:], model])
    doing = [kind.__name__]
    signal.setitimer(signal.ITIMER_REAL, LONGEST_WAIT_S)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    try:
        ends = []
        for told in kind(rng, root, light):
            (doing if told.startswith("> ") else ends).append(told)
    except BaseException:
        return " ".join(doing), traceback.format_exc(), []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
    return " ".join(doing), "", ends


def finished(rng: random.Random, root: Path, light: bool) -> Iterator[str]:
    """A finished run: its page, and that of all runs."""
    yield from _damaged(rng, root / FINISHED)
    before = _good(root / FINISHED)
    end = _end(lambda: rebuild(RunFolder(root / FINISHED), lambda text: None))
    yield end
    after = _good(root / FINISHED)
    may_change = {"report.html", "trials.csv", "curves.csv"}
    lost = {name for name in before if name not in may_change and before[name] != after.get(name)}
    assert not lost, f"{lost} changed"
    assert end != "success" or (root / FINISHED / "report.html").stat().st_size > 1000, (
        "there is no page"
    )
    yield _end(lambda: read_recipe(root / FINISHED / "best.yaml"))
    _compare(root, SOUND)


def unfinished(rng: random.Random, root: Path, light: bool) -> Iterator[str]:
    """Check an unfinished run: it resumes, or is refused.

    Another run of the same data set resumes, and a new one starts.
    """
    yield from _damaged(rng, root / UNFINISHED)
    before = _good(root / UNFINISHED)
    for name in (OTHER, SOUND):
        _, is_resumed, _ = open_run(OPTIONS, root / "reports/digits", identity_of(name))
        assert is_resumed is (name == OTHER), f"{name} is resumed: {is_resumed}"
    yield _end(lambda: _go_on(root, light))
    after = _good(root / UNFINISHED)
    tables = {
        "trials.csv",
        "curves.csv",
        "split.csv",
        "state/owner",
        "events.jsonl",
        "state/trials.jsonl",
        ".lock",
    }
    lost = {name for name in before if name not in tables and before[name] != after.get(name)}
    assert not lost, f"{lost} changed"
    _compare(root, SOUND, OTHER)


def _go_on(root: Path, light: bool) -> None:
    folder, is_resumed, _ = open_run(OPTIONS, root / "reports/digits", identity_of(UNFINISHED))
    if not is_resumed:
        folder.create()
    with folder.locked():
        folder.write_split([("a.png", "no", "train", "", "", "")])
        folder.events.mend()
        assert folder.events.n_odd() >= 0
        assert 0 <= folder.events.spent_s() < float("inf")
        assert folder.started_at() is not None
        tables = TrialTables(folder.path, ["x"])
        job: Any = SimpleNamespace(
            folder=folder, tell=lambda event: json_line({"text": str(event)})
        )
        ended = _tell_what_is_there(job, tables)
        assert [trial.trial_id for trial in tables.read()] == [trial.trial_id for trial in ended]
        if not light:
            _replay(folder)


def _replay(folder: RunFolder) -> None:
    from tests.search.fakes import ACCURACY, make_study
    from tuner.search.loop import _Loop
    from tuner.search.trial_training import SearchOrder

    order: Any = SearchOrder(model="cnn", objective=ACCURACY, seed=1, checkpoints=folder.state)
    nothing: Any = None
    _Loop(order, make_study(), nothing, folder.search_log, nothing, nothing, nothing).restore()


def cached(rng: random.Random, root: Path, light: bool) -> Iterator[str]:
    """The image cache: whatever is in it, the same images are loaded."""
    whole = load_images(CARD, root / "data")
    # Copied files are others to the cache; this is the one that is looked at.
    (entry,) = [path for path in (root / "data/.cache").iterdir() if path.is_dir()]
    yield from _damaged(rng, entry)
    found = load_images(CARD, root / "data")
    assert (found.fingerprint, found.origins) == (whole.fingerprint, whole.origins), "other images"
    assert (found.images[:] == load_images(CARD, root / "data").images[:]).all(), "other pixels"
    assert found.copy_of.tolist() == whole.copy_of.tolist(), "other copies"
    yield "success"


def said(rng: random.Random, root: Path, light: bool) -> Iterator[str]:
    """An error whose text is anything: it is written down, and read again."""
    ranges = ((0, 32), (0, 0x3000), (0xD800, 0xE000), (0, 0x110000), (0x2028, 0x202A), (0x1B, 0x1C))
    text = "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randrange(300)))
    way = rng.randrange(4)

    class OddError(Exception):
        def __str__(self) -> Any:
            if way == 0:
                raise RecursionError
            return (text, 3, text * 10_000)[way - 1]

    error = OddError(text)
    failure = Failure(reason=reason_of(error), traceback=traceback_of(error))
    assert failure.reason == short_line(failure.reason)
    trial = next(t for t in trials(23) if t.error is None)
    log, failed = (
        SearchLog(root / "log.jsonl"),
        replace(trial, trial_id="0000", score=None, error=failure.reason),
    )
    log.started(
        replace(failed, error=None, epochs=(), parent_id=None, duration_s=0.0, n_parameters=None),
        {},
    )
    log.ended(replace(failed, parent_id=None))
    TrialTables(root, ["filters_0"]).keep(failed)
    assert log.read()[1].trial == replace(failed, parent_id=None), "another trial"
    assert [t.error for t in TrialTables(root).read()] == [failure.reason], "another error"
    assert json.loads(json_line({"text": failure.traceback})) == {"text": failure.traceback}
    failure.traceback.encode("utf-8")
    yield "success"


def model(rng: random.Random, root: Path, light: bool) -> Iterator[str]:
    """A model's file, or its recipe: `predict` works, or says why it does not."""
    from tuner.production.recipe_model import LoadedModel, named_model

    path = root / FINISHED / "model.keras"
    damage = rng.choice(DAMAGES)
    yield f"> {damage.__name__} model.keras"
    damage(rng, path)

    def predict() -> None:
        import numpy as np

        if path.is_file():
            chosen = named_model(root / FINISHED, None)
            pixels = np.zeros((1, *chosen.recipe.image.shape), dtype=np.uint8)
            LoadedModel(chosen).probabilities(pixels)

    yield _end(predict)


def _damaged(rng: random.Random, folder: Path) -> Iterator[str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    path, damage = rng.choice(files), rng.choice(DAMAGES)
    yield f"> {damage.__name__} {path.relative_to(folder)}"
    damage(rng, path)


def _end(work: Callable[[], object]) -> str:
    """How it ended; only an error of two lines is one."""
    try:
        work()
    except TunerError as error:
        assert error.message and error.hint, f"no message or no remedy: {error!r}"
        assert "\n" not in error.hint, f"lines in {error.hint!r}"
        assert len(error.message.splitlines()) <= 40, f"lines in {error.message!r}"
        return "refused"
    return "success"


def _compare(root: Path, *sound: str) -> None:
    shown = compare(root / "reports")
    states = {row.run_id: row.state for dataset in shown.datasets for row in dataset.rows}
    for name in sound:
        expected = "complete" if name == SOUND else "no results"
        assert states.get(Path(name).name) == expected, f"{name} is not shown as it is: {states}"
    assert shown.page.stat().st_size > 1000


def _good(folder: Path) -> dict[str, bytes]:
    """The contents of the files below a folder, by name; of what is no file its kind."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"no file"
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def _odd(root: str, names: list[str]) -> list[str]:
    """What cannot be copied: pipes."""
    return [
        name
        for name in names
        if not (Path(root) / name).is_file() and not (Path(root) / name).is_dir()
    ]


class _TooLongError(BaseException):
    """No reader may take it for an error of the file."""


def _too_long(*_: object) -> None:
    raise _TooLongError(f"it takes over {LONGEST_S:g} s, or waits over {LONGEST_WAIT_S:g} s")


if __name__ == "__main__":
    # Pipes without a reader must not end this process.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.environ.setdefault("TUNER_CACHE_LIMIT", "1GB")
    sys.exit(main())
