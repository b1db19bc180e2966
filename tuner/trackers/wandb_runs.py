"""Weights & Biases: one run for each training, grouped by the run of tuner; offline by default."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from typing import Any, Literal

from tuner.trackers.tracked import Points, RunEnd, Training
from tuner.trackers.tracker import Tracker

_UNKNOWN = re.compile(r"[/\\#?%:]")


class WandbTracker(Tracker):
    """Writes each training whole: what is offline cannot be read back or gone on with.

    `WANDB_MODE=online` sends it, `disabled` writes nothing. `WANDB_PROJECT` names the project in
    place of the data set.
    """

    def open(self) -> None:
        """Import the library, which sends nothing from here on that was not asked for."""
        # Reports of its own errors to its makers.
        os.environ["WANDB_ERROR_REPORTING"] = "false"
        import wandb

        self._wandb = wandb
        self._open: dict[str, Any] = {}
        if self._mode != "disabled":
            self.run.folder.joinpath("wandb").mkdir(exist_ok=True)

    def begin(self, training: Training) -> Points:
        """Start anew."""
        self.discard(training)
        return {}

    def discard(self, training: Training) -> None:
        """Start a run in the place of what is there."""
        self._start(training.slug, training.key, training.kind, training.values)

    def add(self, training: Training, points: Points) -> None:
        """Log metrics; a run that has ended is written again, as another rung continues it."""
        if training.slug not in self._open:
            self.discard(training)
            points = training.points
        run = self._open[training.slug]
        for step, metrics in points.items():
            run.log(dict(metrics), step=step)

    def end(self, training: Training) -> None:
        """Write scores and words, and end the run."""
        if run := self._open.pop(training.slug, None):
            score = {} if training.score is None else {"score": training.score}
            run.summary.update({**training.numbers, **training.words, **score})
            run.finish(exit_code=int(training.has_failed))

    def finish(self, end: RunEnd) -> None:
        """Write the recommendation and the numbers of the run as a run of their own."""
        self._start("search", self.run.name, "search", {})
        run = self._open.pop("search")
        run.summary.update({**end.numbers, **end.words})
        run.finish()

    def close(self) -> None:
        """End what is open: a killed run leaves it to the next session."""
        for slug in list(getattr(self, "_open", {})):
            self._open.pop(slug).finish(exit_code=1)

    @property
    def viewer(self) -> str:
        """What sends an offline run; an online one is there already."""
        return {
            "offline": f"wandb sync {(self.run.folder / 'wandb').as_posix()}/offline-run-*",
            "online": "your project at Weights & Biases",
            "disabled": "nothing is written, as WANDB_MODE is disabled",
        }[self._mode]

    @property
    def _mode(self) -> Literal["offline", "online", "disabled"]:
        stated = os.environ.get("WANDB_MODE", "offline")
        if stated == "disabled":
            return "disabled"
        return "online" if stated in ("online", "shared") else "offline"

    def _start(self, slug: str, name: str, kind: str, values: Mapping[str, Any]) -> None:
        identity = f"{self.run.name}-{slug}"
        if slug in self._open:
            self._open.pop(slug).finish()
        if self._mode == "offline":
            for path in self.run.folder.glob(f"wandb/offline-run-*-{identity}"):
                shutil.rmtree(path)
        self._open[slug] = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT") or _UNKNOWN.sub("_", self.run.dataset),
            id=identity,
            name=name,
            group=self.run.name,
            job_type=kind,
            config=dict(values),
            dir=str(self.run.folder),
            resume="allow" if self._mode == "online" else None,
            reinit="create_new",
            settings=self._settings(),
        )

    def _settings(self) -> Any:
        """Nothing but what it is given: no terminal, code, packages, machine or environment."""
        return self._wandb.Settings(
            mode=self._mode,
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            save_code=False,
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
        )
