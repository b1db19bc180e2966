"""A real kernel: "interrupt kernel" in the middle of a search, then the same cell again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import tuner

_TIMEOUT_S = 1800
SETUP = """
import keras, numpy as np, tuner

Y = np.arange(40) % 2
X = np.random.default_rng(0).integers(0, 120, (40, 8, 8)) + 130 * Y[:, None, None]

def build(hp):
    wait_once()
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    layers.append(keras.layers.Dense(hp.Choice("units", [2, 3, 4, 5]), activation="relu"))
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def wait_once():
    # In the worker, while the second trial is built, until the kernel was interrupted.
    from pathlib import Path
    tables = list(Path("reports").glob("arrays/*/trials.csv"))
    if tables and len(tables[0].read_text().splitlines()) > 1 and not Path("waited").exists():
        Path("waited").touch()
        Path("began").write_text("now")
        Path("interrupted").read_text()
"""
CELL = """
tuner.search(
    build, X[:30], Y[:30], validation_data=(X[30:], Y[30:]), max_trials=4, max_epochs=1,
    workers=1, set={"search.method": "random"},
)
"""
# In a process of its own, as what Jupyter does with event loops stays out of this one. The pipes
# `began` and `interrupted` block until there is somebody at the other end.
CLIENT = """
import json, sys
from jupyter_client.manager import start_new_kernel

timeout_s, setup, cell = float(sys.argv[1]), *sys.argv[2:]
manager, client = start_new_kernel(startup_timeout=timeout_s)

def execute(code, until_began=False):
    asked = client.execute(code)
    if until_began:
        open("began").read()
        manager.interrupt_kernel()
        open("interrupted", "w").close()
    while (reply := client.get_shell_msg(timeout=timeout_s))["parent_header"]["msg_id"] != asked:
        pass
    content = reply["content"]
    print(json.dumps([content["status"], content.get("ename"), content.get("evalue")]))

try:
    execute(setup)
    execute(cell, until_began=True)
    execute(cell)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes of names")
def test_an_interrupted_cell_that_runs_again_trains_no_finished_trial_twice(tmp_path: Path) -> None:
    for name in ("began", "interrupted"):
        os.mkfifo(tmp_path / name)
    client = subprocess.run(
        [sys.executable, "-c", CLIENT, str(_TIMEOUT_S), SETUP, CELL],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S,
        env=os.environ | {
            "PYTHONPATH": str(Path(tuner.__file__).parents[1]),
            "IPYTHONDIR": str(tmp_path / "ipython"),
        },
    )  # fmt: skip
    assert client.returncode == 0, client.stderr[-3000:]
    setup, first, second = map(json.loads, client.stdout.splitlines())
    assert setup[0] == second[0] == "ok", client.stdout
    assert first[1] == "RunInterrupted"
    assert "make the same call again to resume it" in first[2]
    (folder,) = [path.parent for path in tmp_path.glob("reports/arrays/*/report.html")]
    ended = _events(folder, "TrialEnded")
    started = Counter(_ids(_events(folder, "TrialStarted")))
    before = [one for one in ended if one["time_s"] < _events(folder, "SearchResumed")[0]["time_s"]]
    # On a busy machine, the second one does not end its epoch in the time that it is given.
    assert len(before) in (1, 2)
    assert all(started[name] == 1 for name in _ids(before))
    assert len(_ids(ended)) == len(set(_ids(ended))) == 4


def _events(folder: Path, kind: str) -> list[dict[str, Any]]:
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def _ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["trial"]["trial_id"] for event in events]
