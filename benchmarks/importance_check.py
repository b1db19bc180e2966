#!/usr/bin/env python3
"""How often a search shows what mattered, and how often what did not: made-up learning curves.

    python benchmarks/importance_check.py [--searches 100] [--others 10] [--space FILE]

Hyperband searches the supplied space of FER2013, with its real code and without any training. The
score of a setting grows with the epochs; the height of its curve is a sum of planted effects and of
chance, its speed is chance, and so is a part of each epoch's score. The effects are given as shares
of the variance of heights. Three estimators look at the same trials:

- ranks: what the report shows (tuner/metrics/importance.py)
- PED-ANOVA (Watanabe et al., IJCAI 2023): Pearson divergence between the density of a
  hyperparameter among the best quarter of the settings and among all of them, told apart from
  chance in the same way
- forest: permutation importance of a random forest, which the report showed before, from 140 trials
  on; here without that floor

Prints a Markdown table: how many searches show anything, each planted effect, and anything that was
not planted. Takes ten minutes on one core, most of them in the forests; with --others 0 three.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from tuner.metrics.importance import (
    MAX_CHANCE,
    Ranked,
    adjusted_chances,
    importance,
    rank_settings,
)
from tuner.metrics.setting_columns import group_members, groups_of
from tuner.records.trial import Trial
from tuner.search.study import make_study
from tuner.space.definition import Parameter, SearchSpaceFile
from tuner.space.parsing.parse import load_space
from tuner.space.sampling import sample

# Epochs of the last rung, factor, iterations: the presets `quick` and `standard` of two spaces, and
# a longer search.
SEARCHES = {"quick": (4, 4, 1), "9/3": (9, 3, 1), "standard": (27, 3, 1), "3 times": (27, 3, 3)}
TOP = 0.25
N_SHUFFLES, N_RESAMPLES = 500, 20
MIN_EXPLAINED = 0.1

Values = Mapping[str, Any]


def rate(values: Values) -> float:
    """Best near a third of its range on a logarithmic scale."""
    return -((math.log(values["learning_rate"] / 2e-4) / math.log(25) - 0.35) ** 2)


def filters(values: Values) -> float:
    """The more filters in any block, the better."""
    found = [math.log(values[f"filters_{i}"]) for i in range(values["conv_blocks"])]
    return sum(found) / len(found)


def batch_norm(values: Values) -> float:
    """Better with it."""
    return float(values["batch_norm"])


EFFECTS: dict[str, Callable[[Values], float]] = {
    "learning_rate": rate,
    "filters (per block)": filters,
    "batch_norm": batch_norm,
}
TRUTHS: dict[str, dict[str, float]] = {
    "nothing": {},
    "one strong": {"learning_rate": 0.6},
    "three": {"learning_rate": 0.4, "filters (per block)": 0.2, "batch_norm": 0.2},
}


@dataclass(frozen=True, kw_only=True)
class Heights:
    """The heights of learning curves, in standard deviations.

    Attributes:
        shares: Of the variance of heights, by effect.
        scales: Mean and standard deviation of each effect in the space.
    """

    shares: Mapping[str, float]
    scales: Mapping[str, tuple[float, float]]

    def of(self, values: Values, generator: np.random.Generator) -> float:
        """The height of a setting's curve."""
        chance = math.sqrt(1 - sum(self.shares.values())) * float(generator.normal())
        return chance + sum(
            math.sqrt(share) * (EFFECTS[name](values) - self.scales[name][0]) / self.scales[name][1]
            for name, share in self.shares.items()
        )


def search(
    file: SearchSpaceFile, plan: tuple[int, int, int], heights: Heights, seed: int
) -> list[Trial]:
    """All trials of one search."""
    max_epochs, factor, iterations = plan
    settings = replace(
        file.search,
        method="hyperband",
        max_epochs=max_epochs,
        factor=factor,
        iterations=iterations,
    )
    study = make_study(
        space=file.space,
        objective=file.objective,
        settings=settings,
        seed=seed,
        problem=lambda values: None,
    )
    generator = np.random.default_rng([seed, 1])
    curves: dict[str, tuple[float, float]] = {}
    trials: list[Trial] = []
    while (trial := study.next_trial()) is not None:
        key = repr(sorted(trial.values.items()))
        if key not in curves:
            curves[key] = (heights.of(trial.values, generator), float(generator.normal()))
        height, speed = curves[key]
        epochs = np.arange(trial.first_epoch, trial.last_epoch + 1)
        grown = 1 - np.exp(-0.25 * math.exp(0.2 * speed) * epochs)
        scores = 0.2 + (0.4 + 0.06 * height) * grown + 0.007 * generator.normal(size=len(epochs))
        trials.append(replace(trial, score=float(scores.max())))
        study.end(trials[-1])
    return trials


def by_ranks(trials: Sequence[Trial], parameters: Sequence[Parameter], seed: int) -> set[str]:
    """What the report shows as told apart from chance."""
    found = importance(trials, parameters, "max", seed)
    return {row.name for row in found.parameters if row.is_told}


def by_densities(trials: Sequence[Trial], parameters: Sequence[Parameter], seed: int) -> set[str]:
    """The groups whose summed Pearson divergence can be told apart from chance."""
    generator = np.random.default_rng(seed)
    ranked = rank_settings(trials, "max", generator)
    names = groups_of(parameters)
    tops = np.column_stack([best_quarter(ranked, ranked.ranks), *shuffled_tops(ranked, generator)])
    divergences = np.array(
        [
            sum(divergence(parameter, ranked, tops) for parameter in group)
            for group in names.values()
        ]
    )
    chances = adjusted_chances(divergences[:, 0], divergences[:, 1:])
    return {name for name, chance in zip(names, chances, strict=True) if chance <= MAX_CHANCE}


def best_quarter(ranked: Ranked, ranks: np.ndarray) -> np.ndarray:
    """Whether each setting is among the best quarter of its bracket."""
    found = np.zeros(len(ranks), dtype=bool)
    for bracket in np.unique(ranked.brackets):
        among = np.flatnonzero(ranked.brackets == bracket)
        found[among[np.argsort(-ranks[among])[: math.ceil(TOP * len(among))]]] = True
    return found


def shuffled_tops(ranked: Ranked, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """The same of ranks that were shuffled within brackets."""
    for _ in range(N_SHUFFLES):
        yield best_quarter(ranked, generator.permutation(len(ranked.ranks)).astype(float))


def divergence(parameter: Parameter, ranked: Ranked, tops: np.ndarray) -> np.ndarray:
    """Pearson divergence of the top settings' density from all settings', for each top."""
    (member,) = group_members([parameter], [trial.values for trial in ranked.trials])
    values, inside = member.columns, tops[member.rows].astype(float)
    if parameter.kind == "choice":
        first = 1 - values.sum(axis=1, keepdims=True)
        kernels = np.hstack([first, values]) + 1e-3
    else:
        points = np.linspace(-0.5, 0.5, 50)
        width = max(values[:, 0].std(), 0.01) * len(values) ** -0.2
        kernels = np.exp(-0.5 * ((values[:, :1] - points) / width) ** 2)
    kernels = kernels + 1e-9
    kernels /= kernels.sum(axis=1, keepdims=True)
    everywhere = kernels.mean(axis=0)
    top = inside.T @ kernels / np.maximum(inside.sum(axis=0), 1)[:, None]
    return ((top / everywhere - 1) ** 2 * everywhere).sum(axis=1) * (inside.sum(axis=0) > 0)


def by_forest(trials: Sequence[Trial], parameters: Sequence[Parameter], seed: int) -> set[str]:
    """The groups of which one hyperparameter has a 95 % range above zero."""
    generator = np.random.default_rng(seed)
    keys = [repr(sorted(trial.values.items())) for trial in trials]
    settings = np.unique(keys, return_inverse=True)[1]
    depths = np.array([trial.last_epoch for trial in trials])
    scores = np.array([trial.score for trial in trials], dtype=float)
    for depth in np.unique(depths):
        scores[depths == depth] -= scores[depths == depth].mean()
    blocks = []
    for parameter in parameters:
        block = np.full((len(trials), 2), np.nan)
        for member in group_members([parameter], [trial.values for trial in trials]):
            block[member.rows, : member.columns.shape[1]] = member.columns
        blocks.append(block)
    losses, explained = [], []
    for _ in range(N_RESAMPLES):
        n = settings.max() + 1
        weights = np.bincount(generator.integers(n, size=n), minlength=n)[settings]
        left = np.flatnonzero(weights == 0)
        forest = RandomForestRegressor(
            n_estimators=30,
            min_samples_leaf=2,
            max_features=0.5,
            random_state=int(generator.integers(2**31)),
        )
        table = np.hstack([*blocks, depths[:, None]])
        drawn = weights > 0
        forest.fit(table[drawn], scores[drawn], sample_weight=weights[drawn])
        versions = [table[left]]
        for i, block in enumerate(blocks):
            active = left[~np.isnan(block[left]).all(axis=1)]
            shuffled = table.copy()
            shuffled[active, 2 * i : 2 * i + 2] = block[generator.permutation(active)]
            versions.append(shuffled[left])
        predicted = forest.predict(np.vstack(versions)).reshape(len(versions), -1)
        errors = ((predicted - scores[left]) ** 2).mean(axis=1) / scores.var()
        explained.append(1 - errors[0])
        losses.append(errors[1:] - errors[0])
    if np.mean(explained) < MIN_EXPLAINED:
        return set()
    sure = np.quantile(losses, 0.025, axis=0) > 0
    return {
        name
        for name, group in groups_of(parameters).items()
        if any(sure[parameters.index(parameter)] for parameter in group)
    }


ESTIMATORS = {"ranks": by_ranks, "PED-ANOVA": by_densities, "forest": by_forest}


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--others", type=int, default=10, help="searches for the other two")
    parser.add_argument("--space", type=Path, default=Path("search_spaces/fer2013.yaml"))
    options = parser.parse_args()
    file = load_space(options.space)
    generator = np.random.default_rng(0)
    draws = [sample(file.space, generator) for _ in range(2000)]
    scales = {
        name: (float(np.mean(found)), float(np.std(found)))
        for name, effect in EFFECTS.items()
        if (found := [effect(values) for values in draws])
    }
    print(
        "| search | planted | estimator | searches | shows anything | shows the planted | shows"
        " others |"
    )
    print("| --- | --- | --- | ---: | ---: | --- | ---: |")
    for (label, plan), (truth, shares) in (
        (one, other) for one in SEARCHES.items() for other in TRUTHS.items()
    ):
        heights = Heights(shares=shares, scales=scales)
        shown: dict[str, list[set[str]]] = {name: [] for name in ESTIMATORS}
        n_trials = 0
        for seed in range(options.searches):
            trials = search(file, plan, heights, seed)
            n_trials = len(trials)
            for name, told in ESTIMATORS.items():
                if name == "ranks" or (seed < options.others and n_trials >= 20):
                    shown[name].append(told(trials, file.space.parameters, seed))
        for name, found in shown.items():
            if found:
                print(
                    f"| {label}, {n_trials} trials | {truth} | {name} | {len(found)} |"
                    f" {row(found, shares)} |",
                    flush=True,
                )


def row(found: Sequence[set[str]], shares: Mapping[str, float]) -> str:
    """The cells of one line of the table."""
    n = len(found)

    def percent(count: int) -> str:
        return f"{100 * count / n:.0f} %"

    planted = ", ".join(f"{name} {percent(sum(name in one for one in found))}" for name in shares)
    return " | ".join(
        [
            percent(sum(bool(one) for one in found)),
            planted or "-",
            percent(sum(bool(one - shares.keys()) for one in found)),
        ]
    )


if __name__ == "__main__":
    main()
