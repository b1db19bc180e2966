"""Runs written by hand, each from a few plain numbers and the predictions that follow."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image
from scipy.stats import norm

from tests.report.fixtures import HOSTILE, class_names, recommending
from tuner.evaluation.differences import compare_models
from tuner.metrics.calibration import fit_temperature, log_loss, reliability, tempered
from tuner.metrics.classification import score
from tuner.metrics.importance import importance
from tuner.records.label_issues import LabelIssues, SuspectLabel
from tuner.records.pictures import ActivationMaps, ActivationRow, Gallery, Shown
from tuner.records.results import DataSummary, ModelResult, Results, RunSummary, SeedResult
from tuner.records.scores import Temperature
from tuner.records.search_summary import SearchSummary
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.report.reported_run import ReportedRun
from tuner.space.definition import Condition, Parameter

PARAMETERS = (
    Parameter(name="conv_blocks", kind="int", low=2, high=5),
    Parameter(name="filters", kind="choice", choices=(16, 32, 64)),
    Parameter(name="learning_rate", kind="float", low=1e-4, high=1e-1, log=True),
    Parameter(name="dropout", kind="float", low=0.0, high=0.5),
    Parameter(name="batch_norm", kind="boolean", choices=(False, True)),
    Parameter(name="optimizer", kind="choice", choices=("adam", "sgd")),
    Parameter(
        name="momentum",
        kind="float",
        low=0.8,
        high=0.99,
        conditions=(Condition(parent="optimizer", values=("sgd",)),),
    ),
)
TITLES = {
    "tuned": "Tuned CNN",
    "baseline": "Baseline",
    "efficientnet_b2": "EfficientNetB2 (from scratch)",
}
# What each seed has more or less than the model's accuracy: the winner's, the others'.
PROFILE = ((0.0, 0.0), (-0.008, 0.006), (0.008, -0.006))

_BAD = "<img src=x onerror=alert(1)>"


def trial(number: int, parameters: Sequence[Parameter], generator: np.random.Generator) -> Trial:
    """One trial; every 7th fails, every 11th is stopped, every 5th continues the first."""
    values = {p.name: _draw(p, generator) for p in parameters}
    active = {
        p.name: values[p.name]
        for p in parameters
        if all(values[c.parent] in c.values for c in p.conditions)
    }
    fails, promoted = number % 7 == 6, number % 5 == 4
    rate, blocks = np.log10(values.get("learning_rate", 1e-2)), values.get("conv_blocks", 3)
    reached = (
        0.72
        - 0.12 * (rate + 2.4) ** 2 / 2
        + 0.02 * blocks
        + 0.04 * promoted
        + generator.normal(0, 0.015)
    )
    first, last = (4, 9) if promoted else (1, 3)
    score = float(np.clip(reached, 0.05, 0.95))
    return Trial(
        trial_id=f"{number:04d}",
        values=active,
        bracket=0,
        rung=int(promoted),
        parent_id="0000" if promoted else None,
        first_epoch=first,
        last_epoch=last,
        score=None if fails else score,
        epochs=()
        if fails
        else tuple(
            EpochMetrics(
                epoch=epoch,
                metrics={
                    "accuracy": min(1.0, score + 0.02 * (epoch - last) + 0.05),
                    "val_accuracy": score + 0.03 * (epoch - last),
                },
                duration_s=1.0,
            )
            for epoch in range(first, last + 1)
        ),
        error="ResourceExhausted: out of memory" if fails else None,
        duration_s=10.0 + number % 13,
        n_parameters=None if fails else 20_000 * int(blocks),
        is_stopped=number % 11 == 10 and not fails,
    )


def run_of(
    *,
    accuracies: Mapping[str, float] | None = None,
    n_test: int = 700,
    names: tuple[str, ...] = class_names(7),
    n_seeds: int = 3,
    n_trials: int = 23,
    parameters: Sequence[Parameter] = PARAMETERS,
    seed: int = 0,
) -> ReportedRun:
    """A finished run.

    Args:
        accuracies: Test accuracy by model; the seeds scatter around it by at most 0.8 points.
        n_test: Test images.
        names: Class names.
        n_seeds: Retrainings per model, at most 3.
        n_trials: Trials of the search.
        parameters: Searched ones.
        seed: Of everything random.
    """
    generator = np.random.default_rng(seed)
    accuracies = accuracies or {"tuned": 0.82, "baseline": 0.74, "efficientnet_b2": 0.55}
    trials = tuple(trial(i, parameters, generator) for i in range(n_trials))
    labels = np.arange(n_test) % len(names)
    hardness = generator.normal(size=n_test)
    predicted: dict[str, np.ndarray] = {}
    models = []
    for place, (name, accuracy) in enumerate(accuracies.items()):
        for number in range(n_seeds):
            share = float(np.clip(accuracy + PROFILE[number][place > 0], 0, 1))
            predicted[f"{name}-{number + 1}"] = _probabilities(
                share, labels, hardness, len(names), generator
            )
        models.append(
            _model(
                name,
                labels,
                {k: v for k, v in predicted.items() if k.startswith(f"{name}-")},
                names,
            )
        )
    compared, differences = compare_models(models, labels, predicted, seed)
    kept = next(run.seed for run in models[0].runs if run.is_kept)
    results = Results(
        run=RunSummary(
            run_id="20260102-030405-ab12cd34",
            folder="reports/faces/20260102-030405-ab12cd34",
            state="complete",
            preset="standard",
            seed=1,
            started_at="2026-01-02T03:04:05Z",
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
            train_counts=tuple(100 + i % 9 for i in range(len(names))),
            validation_counts=tuple(20 for _ in names),
            test_counts=tuple(int(n) for n in np.bincount(labels, minlength=len(names))),
            split_rule="seeded, stratified 80/10/10",
        ),
        search=_search(trials, parameters),
        models=tuple(compared),
        differences=tuple(differences),
        temperature=_temperature(labels, predicted[f"tuned-{kept}"]),
    )
    results = recommending(results, max(accuracies, key=accuracies.__getitem__))
    return _with_importance(ReportedRun(results=results, trials=trials))


def win() -> ReportedRun:
    """Ten points better, on enough images to see it."""
    return run_of(accuracies={"tuned": 0.84, "baseline": 0.74, "efficientnet_b2": 0.6}, n_test=2100)


def tie() -> ReportedRun:
    """The same accuracy, on enough images to exclude a large difference."""
    return run_of(
        accuracies={"tuned": 0.8, "baseline": 0.8, "efficientnet_b2": 0.6}, n_test=2800, seed=1
    )


def loss() -> ReportedRun:
    """Ten points worse."""
    return run_of(
        accuracies={"tuned": 0.72, "baseline": 0.82, "efficientnet_b2": 0.6}, n_test=2100, seed=2
    )


def tiny() -> ReportedRun:
    """Sixteen test images tell nothing."""
    return run_of(accuracies={"tuned": 0.75, "baseline": 0.69}, n_test=16, names=("happy", "sad"))


def one_seed() -> ReportedRun:
    """One retraining each: a large difference that may be luck."""
    return run_of(n_seeds=1)


def of_classes(n: int) -> ReportedRun:
    """Any number of classes, two test images each at least."""
    few = {"tuned": 0.7, "baseline": 0.6}
    return run_of(
        accuracies=few, names=class_names(n), n_test=max(400, 2 * n), n_seeds=3 if n <= 10 else 2
    )


def of_trials(n: int) -> ReportedRun:
    """Any number of trials."""
    return run_of(n_trials=n, n_test=140, n_seeds=2)


def large() -> ReportedRun:
    """5,000 trials of 20 parameters, 100 classes."""
    more = tuple(
        Parameter(name=f"filters_{i}", kind="choice", choices=(16, 32, 64)) for i in range(13)
    )
    return run_of(
        n_trials=5000,
        names=class_names(100),
        n_test=2000,
        n_seeds=3,
        parameters=(*PARAMETERS, *more),
    )


def minimised() -> ReportedRun:
    """An objective that is better where it is lower."""
    reported = run_of()
    trials = tuple(
        replace(t, score=None if t.score is None else 1.5 - t.score) for t in reported.trials
    )
    search = replace(_search(trials, PARAMETERS, "min"), objective="val_loss")
    return ReportedRun(results=replace(reported.results, search=search), trials=trials)


def hostile() -> ReportedRun:
    """Hostile or strange names of classes, hyperparameters, data set and errors."""
    odd = (
        "</script><script>alert(1)</script>",
        _BAD,
        "שלום \u202eevil",
        "y" * 300,
        " ",
        "7",
        "\" onfocus='alert(1)'",
    )
    return _named(_BAD, odd, (*HOSTILE, "7", "08"))


def hostile_twin() -> ReportedRun:
    """The same run with harmless names."""
    return _named("harmless", tuple("abcdefg"), class_names(10))


def not_finite() -> ReportedRun:
    """NaN, infinities and None wherever a run may have them."""
    reported = run_of(n_trials=40)
    tuned, *others = reported.results.models
    nan, inf = float("nan"), float("inf")
    runs = tuple(
        replace(
            run,
            epochs=tuple(
                replace(e, metrics={"loss": nan, "val_loss": inf, "accuracy": 0.5})
                for e in run.epochs
            ),
            test=replace(run.test, log_loss=inf),
        )
        for run in tuned.runs
    )
    odd = replace(
        tuned,
        runs=runs,
        n_parameters=None,
        file_size_bytes=None,
        latency_ms=None,
        values={"rate": nan},
    )
    scores = (nan, inf, -inf, None)
    trials = tuple(
        replace(t, score=scores[i]) if i < 4 else t for i, t in enumerate(reported.trials)
    )
    results = replace(reported.results, models=(odd, *others))
    return replace(
        reported, results=replace(results, search=_search(trials, PARAMETERS)), trials=trials
    )


def all_failed() -> ReportedRun:
    """No retraining ended well."""
    reported = run_of()
    broken = tuple(
        replace(m, runs=(), error="ran out of memory", macro_f1=None, calibration_error=None)
        for m in reported.results.models
    )
    return replace(
        reported, results=replace(reported.results, models=broken, differences=(), temperature=None)
    )


def search_only() -> ReportedRun:
    """What `--search-only` leaves."""
    reported = run_of()
    return replace(
        reported, results=replace(reported.results, models=(), differences=(), temperature=None)
    )


def in_progress() -> ReportedRun:
    """A page written during the search: two trials are still running, nothing is retrained."""
    reported = search_only()
    running = tuple(
        replace(t, score=None, error=None, is_stopped=False) for t in reported.trials[-2:]
    )
    trials = (*reported.trials[:-2], *running)
    results = replace(
        reported.results,
        run=replace(reported.results.run, state="searching"),
        search=replace(_search(trials, PARAMETERS), n_planned=40),
        importance=None,
    )
    return ReportedRun(results=results, trials=trials)


def with_pictures(reported: ReportedRun) -> ReportedRun:
    """The same run with a gallery: 12 mistakes, 12 uncertain images, and activation maps."""
    names = reported.results.data.class_names
    pictures = {
        f"{kind}-{i:02d}.png": _picture(i)
        for kind in ("mistake", "uncertain", "heat", "label")
        for i in range(12)
    }
    pictures |= {f"maps-{i}.png": _picture(i, (8 * 12, 12)) for i in range(2)}
    mistakes, uncertain = (
        tuple(
            Shown(
                origin=f"{kind}/image {i}.png",
                truth=i % len(names),
                predicted=(i + 1) % len(names),
                confidence=confidence - i / 100,
                truth_probability=0.03,
                picture=f"{kind}-{i:02d}.png",
                saliency=f"heat-{i:02d}.png",
            )
            for i in range(12)
        )
        for kind, confidence in (("mistake", 0.99), ("uncertain", 0.5))
    )
    row = ActivationRow(
        truth=0, origin="first.png", picture="mistake-00.png", maps=("maps-0.png", "maps-1.png")
    )
    kept = next(run for run in reported.results.models[0].runs if run.is_kept)
    n_mistakes = kept.test.n - round(kept.test.accuracy * kept.test.n)
    return replace(
        reported,
        results=replace(
            reported.results,
            gallery=Gallery(
                n_mistakes=n_mistakes,
                mistakes=mistakes,
                uncertain=uncertain,
                layer="block_2_conv",
                reason="",
            ),
            activations=ActivationMaps(
                layers=("block_0_conv", "block_1_conv"),
                n_channels=((8, 32), (8, 64)),
                rows=(row,),
                n_classes=len(names),
            ),
            label_issues=LabelIssues(
                n_validation=200,
                n_test=kept.test.n,
                n_validation_flagged=9,
                n_test_flagged=40,
                n_expected=61.0,
                shown=tuple(
                    SuspectLabel(
                        origin=f"label/image {i}.png",
                        part="validation" if i % 2 else "test",
                        given=i % len(names),
                        suggested=(i + 1) % len(names),
                        given_probability=0.01 * i,
                        suggested_probability=0.95 - 0.01 * i,
                        picture=f"label-{i:02d}.png",
                    )
                    for i in range(12)
                ),
            ),
        ),
        pictures=pictures,
    )


def _named(text: str, parameter_names: Sequence[str], names: tuple[str, ...]) -> ReportedRun:
    parameters = tuple(
        replace(
            p,
            name=name,
            conditions=(),
            choices=(text, "</script>") if p.kind == "choice" else p.choices,
        )
        for p, name in zip(PARAMETERS, parameter_names, strict=True)
    )
    reported = with_pictures(run_of(names=names, parameters=parameters, n_trials=60))
    results = reported.results
    return replace(
        reported,
        results=replace(
            results,
            run=replace(
                results.run,
                command=f"python -m tuner run {text!r}",
                versions={text: text},
                hardware={text: text},
            ),
            data=replace(
                results.data,
                name=text,
                title=f"{text} {'z' * 300}",
                source=text,
                split_rule=text,
                n_unreadable=1,
                unreadable=(text,),
            ),
            search=replace(results.search, objective=text),
            models=tuple(
                replace(m, title=f"{m.title} {text}", note=text, values={text: text})
                for m in results.models
            ),
        ),
        trials=tuple(replace(t, error=text if t.error else None) for t in reported.trials),
    )


STORIES: Mapping[str, Callable[[], ReportedRun]] = {
    "typical": run_of,
    "win": win,
    "tie": tie,
    "loss": loss,
    "tiny": tiny,
    "one seed": one_seed,
    "2 classes": lambda: of_classes(2),
    "10 classes": lambda: of_classes(10),
    "20 classes": lambda: of_classes(20),
    "100 classes": lambda: of_classes(100),
    "1000 classes": lambda: of_classes(1000),
    "1 trial": lambda: of_trials(1),
    "10 trials": lambda: of_trials(10),
    "large": large,
    "minimised": minimised,
    "hostile": hostile,
    "not finite": not_finite,
    "all failed": all_failed,
    "search only": search_only,
    "in progress": in_progress,
    "pictures": lambda: with_pictures(run_of()),
}


def _draw(parameter: Parameter, generator: np.random.Generator) -> bool | int | float | str:
    if parameter.choices:
        return parameter.choices[int(generator.integers(len(parameter.choices)))]
    low, high = parameter.low or 0.0, parameter.high or 1.0
    if parameter.log:
        return float(10 ** generator.uniform(np.log10(low), np.log10(high)))
    return (
        int(generator.integers(int(low), int(high) + 1))
        if parameter.kind == "int"
        else generator.uniform(low, high)
    )


def _probabilities(
    accuracy: float,
    labels: np.ndarray,
    hardness: np.ndarray,
    n_classes: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """Predictions that are right on exactly that share of the images, mostly the same easy ones."""
    difficulty = 0.8 * hardness + 0.6 * generator.normal(size=len(labels))
    right = difficulty.argsort().argsort() < round(accuracy * len(labels))
    wrong = (labels + generator.integers(1, n_classes, size=len(labels))) % n_classes
    found = np.where(right, labels, wrong)
    confidence = 0.52 + 0.47 * norm.cdf(-difficulty)
    probabilities = np.repeat((1 - confidence)[:, None] / (n_classes - 1), n_classes, axis=1)
    probabilities[np.arange(len(labels)), found] = confidence
    return probabilities


def _model(
    name: str,
    labels: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    names: tuple[str, ...],
    n_epochs: int = 12,
) -> ModelResult:
    runs = []
    for number, probabilities in enumerate(predicted.values(), 1):
        test = score(labels, probabilities, names)
        epochs = tuple(
            EpochMetrics(
                epoch=e,
                metrics={
                    "loss": 2.0 * 0.8**e,
                    "accuracy": 1 - 0.75 * 0.8**e,
                    "val_loss": 0.8 + 1.2 * 0.7**e + 0.02 * max(0, e - 8) + 0.01 * number,
                    "val_accuracy": test.accuracy * (1 - 0.7**e) - 0.004 * abs(e - 9),
                },
                duration_s=2.0,
            )
            for e in range(1, n_epochs + 1)
        )
        runs.append(
            SeedResult(
                seed=number,
                best_epoch=9,
                epochs=epochs,
                duration_s=2.0 * n_epochs,
                validation_score=epochs[8].metrics["val_accuracy"],
                is_kept=False,
                test=test,
            )
        )
    kept = max(runs, key=lambda run: run.validation_score)
    return ModelResult(
        name=name,
        title=TITLES[name],
        note="Trained without ImageNet weights." if name == "efficientnet_b2" else "",
        in_verdict=name != "efficientnet_b2",
        model="efficientnet" if name == "efficientnet_b2" else "cnn",
        values={"filters": 64, "dropout": 0.25},
        n_parameters=1_234_567,
        file_size_bytes=14_900_000,
        latency_ms=3.21,
        max_epochs=20,
        runs=tuple(replace(run, is_kept=run is kept) for run in runs),
    )


def _search(
    trials: Sequence[Trial], parameters: Sequence[Parameter], direction: str = "max"
) -> SearchSummary:
    good = [t for t in trials if t.score is not None and np.isfinite(t.score)]
    best = (max if direction == "max" else min)(good, key=lambda t: t.score or 0.0)
    return SearchSummary(
        model="cnn",
        method="hyperband",
        method_words="Hyperband, 9 epochs at most, factor 3, 1 iteration",
        max_epochs=9,
        factor=3,
        iterations=1,
        objective="val_accuracy",
        direction=direction,
        n_trials=len(trials),
        n_failed=sum(t.status == "failed" for t in trials),
        n_stopped=sum(t.status == "stopped" for t in trials),
        n_rejected=2,
        n_epochs=sum(t.last_epoch - t.first_epoch + 1 for t in trials),
        duration_s=700.0,
        best_trial_id=best.trial_id,
        best_score=best.score or 0.0,
        best_values={**best.values, "batch_size": 64, "weight_decay": 1e-05},
        parameters=tuple(parameters),
        n_planned=len(trials),
    )


def _with_importance(reported: ReportedRun) -> ReportedRun:
    search = reported.results.search
    found = importance(reported.trials, search.parameters, search.direction, 0)
    return replace(reported, results=replace(reported.results, importance=found))


def _temperature(labels: np.ndarray, probabilities: np.ndarray) -> Temperature:
    value = fit_temperature(labels, probabilities)
    after = tempered(probabilities, value)
    error, bins = reliability(labels, after)
    losses = (log_loss(labels, probabilities), log_loss(labels, after))
    return Temperature(
        value=value,
        n=len(labels),
        validation_log_loss=losses,
        test_calibration_error=(reliability(labels, probabilities)[0], error),
        test_log_loss=losses,
        calibration=bins,
    )


def _picture(number: int, size: tuple[int, int] = (24, 24)) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, size=size, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()
