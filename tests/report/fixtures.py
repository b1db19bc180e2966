"""A small run for the tests of the report; arguments have ordinary values by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from statistics import fmean

import numpy as np

from tuner.metrics.classification import score
from tuner.metrics.one_standard_error import MOST_GIVEN_UP, rule_in_words
from tuner.records.recommendation import Recommendation, ValidatedModel
from tuner.records.results import DataSummary, ModelResult, Results, RunSummary, SeedResult
from tuner.records.scores import Scores
from tuner.records.search_summary import SearchSummary
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.report.page import render
from tuner.report.reported_run import ReportedRun
from tuner.space.definition import Parameter

HOSTILE = (
    "<script>alert(1)</script>",
    "\"' onload=alert(1) x='",
    "שלום \u202eevil",
    "x" * 300,
    "same",
    "same",
    "",
    "{{ 7 * 7 }} $a_b$ 😀",
)

PARAMETERS = (
    Parameter(name="filters_0", kind="choice", choices=(32, 64)),
    Parameter(name="dropout", kind="float", low=0.0, high=1.0),
    Parameter(name="optimizer", kind="choice", choices=("sgd", "adam")),
)


def class_names(n: int) -> tuple[str, ...]:
    faces = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    return tuple(faces[i] if i < len(faces) else f"class {i}" for i in range(n))


@cache
def scores(names: tuple[str, ...], skill: float, seed: int, n_test: int) -> Scores:
    """Of made-up predictions; hundreds of tests ask for the same ones."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n_test) % len(names)
    logits = generator.normal(size=(n_test, len(names))) + skill * np.eye(len(names))[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return score(labels, probabilities, names)


def seed_result(
    names: tuple[str, ...], skill: float, seed: int, *, n_test: int, n_epochs: int = 12
) -> SeedResult:
    test = scores(names, skill, seed, n_test)
    epochs = tuple(
        EpochMetrics(
            epoch=e,
            metrics={
                "loss": 2.0 * 0.8**e,
                "accuracy": 1 - 0.75 * 0.8**e,
                "val_loss": 0.8 + 1.2 * 0.7**e + 0.02 * max(0, e - 8) + 0.01 * seed,
                "val_accuracy": test.accuracy * (1 - 0.7**e) - 0.004 * abs(e - 9),
            },
            duration_s=2.0,
        )
        for e in range(1, n_epochs + 1)
    )
    return SeedResult(
        seed=seed,
        best_epoch=min(9, n_epochs),
        epochs=epochs,
        duration_s=2.0 * n_epochs,
        validation_score=epochs[min(9, n_epochs) - 1].metrics["val_accuracy"],
        is_kept=False,
        test=test,
    )


def model_result(
    name: str = "tuned", *, names: tuple[str, ...], n_test: int = 600, n_seeds: int = 3
) -> ModelResult:
    title, skill, note = {
        "tuned": ("Tuned CNN", 2.4, ""),
        "baseline": ("Baseline", 2.1, ""),
        "efficientnet_b2": (
            "EfficientNetB2 (from scratch)",
            1.0,
            "Trained without ImageNet weights.",
        ),
    }[name]
    runs = [seed_result(names, skill, seed, n_test=n_test) for seed in range(1, n_seeds + 1)]
    kept = max(runs, key=lambda run: run.validation_score)
    return ModelResult(
        name=name,
        title=title,
        note=note,
        in_verdict=name != "efficientnet_b2",
        model="cnn",
        values={"filters_0": 64, "dropout": 0.25},
        n_parameters=1_234_567,
        file_size_bytes=14_900_000,
        latency_ms=3.21,
        max_epochs=20,
        runs=tuple(replace(run, is_kept=run is kept) for run in runs),
    )


def trials(n: int = 23) -> tuple[Trial, ...]:
    """Trials with a failed one (every seventh) and promotions (every fifth)."""
    generator = np.random.default_rng(0)
    return tuple(
        Trial(
            trial_id=f"{i:04d}",
            values={
                "filters_0": int(generator.choice([32, 64])),
                "dropout": float(generator.random()),
                "optimizer": "sgd",
            },
            bracket=0,
            rung=1 if i % 5 == 4 else 0,
            parent_id="0000" if i % 5 == 4 else None,
            first_epoch=1,
            last_epoch=3,
            score=None if i % 7 == 6 else 0.3 + 0.4 * float(generator.random()),
            error="ResourceExhausted: out of memory" if i % 7 == 6 else None,
            duration_s=10.0 + i,
            n_parameters=100_000 + i,
            epochs=()
            if i % 7 == 6
            else tuple(
                EpochMetrics(
                    epoch=epoch,
                    metrics={"accuracy": 0.2 * epoch, "val_accuracy": 0.15 * epoch + i / 1000},
                    duration_s=3.0,
                )
                for epoch in range(1, 4)
            ),
        )
        for i in range(n)
    )


def results(
    n_classes: int = 7, *, names: tuple[str, ...] | None = None, n_seeds: int = 3, n_test: int = 600
) -> Results:
    """A finished run with three models; its search summary fits `trials()`."""
    names = names or class_names(n_classes)
    models = tuple(
        model_result(name, names=names, n_test=n_test, n_seeds=n_seeds)
        for name in ("tuned", "baseline", "efficientnet_b2")
    )
    good = [t for t in trials() if t.score is not None]
    best = max(good, key=lambda t: t.score or 0.0)
    return Results(
        run=RunSummary(
            run_id="20250102-030405-ab12cd34",
            folder="reports/faces/20250102-030405-ab12cd34",
            state="complete",
            preset="standard",
            seed=1,
            started_at="2025-01-02T03:04:05Z",
            duration_s=1234.5,
            command="python -m tuner run faces --preset standard --seed 1",
            versions={"tensorflow": "2.21.0", "keras": "3.15.1", "python": "3.11.7"},
            hardware={"cpu": "two cores", "gpu": "none"},
        ),
        data=DataSummary(
            name="faces",
            title="Facial expressions",
            source="drawn by the tests",
            fingerprint="sha256:0123456789abcdef",
            height=48,
            width=48,
            channels=1,
            class_names=names,
            train_counts=tuple(100 + i for i in range(len(names))),
            validation_counts=tuple(20 for _ in names),
            test_counts=tuple(s.n for s in models[0].runs[0].test.per_class),
            split_rule="seeded, stratified 80/10/10",
        ),
        search=SearchSummary(
            model="cnn",
            method="hyperband",
            method_words="Hyperband, 27 epochs at most, factor 3, 1 iteration",
            max_epochs=27,
            factor=3,
            iterations=1,
            objective="val_accuracy",
            direction="max",
            n_trials=23,
            n_failed=3,
            n_rejected=2,
            n_epochs=75,
            duration_s=700.0,
            best_trial_id=best.trial_id,
            best_score=best.score or 0.0,
            best_values={
                **best.values,
                "batch_size": 64,
                "learning_rate": 1e-05,
                "batch_norm": True,
            },
            parameters=PARAMETERS,
            n_planned=23,
        ),
        models=models,
    )


def page(
    run: Results, some: Sequence[Trial] = (), pictures: Mapping[str, bytes] | None = None
) -> str:
    """The page of a run."""
    return render(ReportedRun(results=run, trials=some, pictures=pictures or {}))


def search_only(n: int = 23) -> Results:
    """What `--search-only` leaves."""
    return replace(results(), models=(), search=replace(results().search, n_trials=n))


def recommending(run: Results, name: str = "baseline", *, error: float = 0.02) -> Results:
    """The run with a recommended model, which validation put first by what its seeds scored."""
    scored = [model for model in run.models if model.runs]
    candidates = tuple(
        ValidatedModel(
            name=model.name,
            score=fmean(one.validation_score for one in model.runs),
            standard_error=error,
            n_parameters=model.n_parameters or 0,
        )
        for model in sorted(scored, key=lambda model: model.name != name)
    )
    return replace(
        run,
        recommendation=Recommendation(
            model=name,
            file="model.keras",
            rule=rule_in_words(MOST_GIVEN_UP, has_combinations=False),
            candidates=candidates,
            level=(name,),
            n_images=140,
        ),
    )
