"""Whole commands with builders of your own: `run`, then `predict` and `train --from`.

`predict` and `train --from` run in separate processes.

    python -m tests.soak.own_builders [--only NAME ...]

Each builder of `published.py` stands as `net.py` in a working directory. Some work, up to the
predictions; others are refused before the search, in two lines. Prints a line per case; exits with
1 if any of them went wrong.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.cli.calling import write_photos
from tests.soak.samples import ROOT

UNITS = "units: [4, 8], batch_size: 16"
SPACE = """
version: 1
model: net:{name}
space: {{{space}}}
search: {{method: hyperband, max_epochs: 2, factor: 2}}
compare: []
retrain: {{epochs: 1, seeds: 1}}
"""
CONDITIONAL = (
    "kind: [small, large], units_small: {type: int, min: 2, max: 4, step: 2, when: {kind: small}}, "
    "units_large: {type: int, min: 8, max: 16, step: 8, when: {kind: large}}, batch_size: 16"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A builder and what becomes of it.

    Attributes:
        name: In `published.py`.
        refusal: Part of the message that refuses it; None where it works.
        space: What is searched.
    """

    name: str
    refusal: str | None = None
    space: str = UNITS


CASES = (
    Case(name="build_lazy"),
    Case(name="build_subclassed"),
    Case(name="build_functional"),
    Case(name="Hyper"),
    Case(name="build_conditional", space=CONDITIONAL),
    Case(name="build_custom_layer"),
    Case(name="build_lambda"),
    Case(name="build_logits"),
    Case(name="build_f1"),
    Case(name="build_own_step"),
    Case(name="build_registered"),
    Case(name="build_forgetful"),
    Case(name="build_one_logit"),
    Case(name="build_focal"),
    Case(name="build_loss_in_dict"),
    Case(name="build_failing_metric"),
    Case(name="build_one_logit_unsaid", refusal="outputs one logit, not a probability"),
    Case(name="build_logits_unsaid", refusal="they look like logits"),
    Case(name="build_two_sigmoids", refusal="do not sum to 1"),
    Case(
        name="build_without_accuracy", refusal="reports val_loss, val_sparse_categorical_accuracy"
    ),
    Case(name="build_two_outputs", refusal="outputs 2 arrays"),
    Case(name="build_two_inputs", refusal="takes 2 inputs"),
    Case(name="build_large", refusal="takes images of 64x64x1"),
    Case(name="build_three_units", refusal="outputs 3 values"),
    Case(name="build_maps", refusal="outputs an array of n x 6 x 6 x 2"),
    Case(name="build_raising", refusal="no such layer: Conv9D (net.py:"),
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=[case.name for case in CASES])
    chosen = [case for case in CASES if case.name in parser.parse_args().only]
    n_wrong = 0
    with tempfile.TemporaryDirectory(prefix="tuner-builders-") as place:
        folder = Path(place)
        write_photos(folder / "photos", ["cat", "dog"])
        shutil.copy(ROOT / "tests" / "soak" / "published.py", folder / "net.py")
        for case in chosen:
            began_s = time.monotonic()
            problem = check(case, folder)
            n_wrong += problem is not None
            what = "refused" if case.refusal else "run, predict, train"
            print(
                f"{case.name:24} {problem or what} ({time.monotonic() - began_s:.0f} s)", flush=True
            )
    print(f"{n_wrong} of {len(chosen)} went wrong")
    return 1 if n_wrong else 0


def check(case: Case, folder: Path) -> str | None:
    """What went wrong with a builder; None where nothing did."""
    (folder / "space.yaml").write_text(
        SPACE.format(name=case.name, space=case.space), encoding="utf-8"
    )
    common = (
        "--space",
        "space.yaml",
        "--max-trials",
        "1",
        "--executor",
        "inline",
        "--out",
        f"reports-{case.name}",
    )
    ran = call(folder, "run", "photos", *common)
    if case.refusal:
        return _wrong_refusal(case, folder, ran)
    if ran.returncode != 0:
        return f"run ended with {ran.returncode}: {_last(ran)}"
    run = Path(ran.stdout.strip()).parent
    images = "photos/cat/00.png", "photos/dog/00.png"
    predicted = call(folder, "predict", run, *images)
    if (
        predicted.returncode != 0
        or len(predicted.stdout.splitlines()) != 2
        or "nan" in predicted.stdout
    ):
        return f"predict ended with {predicted.returncode}: {predicted.stdout} {_last(predicted)}"
    trained = call(folder, "train", "--from", run, "--out", f"{case.name}-again")
    if trained.returncode != 0:
        return f"train ended with {trained.returncode}: {_last(trained)}"
    again = call(folder, "predict", f"{case.name}-again", *images)
    # The same seed on the same images: the same model.
    return (
        None
        if again.stdout == predicted.stdout
        else f"{again.stdout} after training, not {predicted.stdout}"
    )


def _wrong_refusal(case: Case, folder: Path, ran: subprocess.CompletedProcess[str]) -> str | None:
    if (folder / f"reports-{case.name}").exists():
        return "refused only after a run has begun"
    lines = ran.stderr.splitlines()
    message = next((number for number, line in enumerate(lines) if str(case.refusal) in line), None)
    if ran.returncode != 2 or message is None:
        return f"ended with {ran.returncode}: {_last(ran)}"
    if len(lines) != message + 2 or not lines[-1].startswith("  Fix: "):
        return f"not in two lines: {lines[message:]}"
    return None


def call(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tuner", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, env=environment
    )


def _last(finished: subprocess.CompletedProcess[str]) -> str:
    return " / ".join(finished.stderr.splitlines()[-3:])


if __name__ == "__main__":
    sys.exit(main())
