#!/usr/bin/env python3
"""How often a verdict is wrong: our own tests on made-up models of known true accuracy.

    python benchmarks/verdict_simulation.py [--runs 5000] [--figure docs/verdict.svg]

Each simulated run has a winner and two opponents, each trained with k seeds and tested on the same
n images. An answer is right where a latent number falls below a threshold; the number is a sum of
the image's difficulty, which all models share, of the model's own trouble with the image, which its
seeds share, and of chance. The threshold is such that the training's true accuracy is the model's,
65 %, plus the luck of its seed, whose spread is given. Truth is either equal, or the winner is 2
points better than both. The second table is about one training against several, where a bound
stands in for the noise of seeds. The third is about the bootstrap: probabilities of known
calibration.

Prints three Markdown tables and draws the first; takes two to five minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm, t

from tuner.metrics.bootstrap import percentile_interval, reflected_interval, resample
from tuner.metrics.classification import score
from tuner.metrics.significance import (
    FAR_LEVEL,
    TwoLevel,
    far_beyond_seeds,
    holm,
    mcnemar,
    plausible_seed_sd,
    two_level,
)
from tuner.records.scores import Estimate

N_IMAGES, SEED_SDS, N_SEEDS = (43, 400, 3589), (0.0, 0.7, 1.5), (2, 3)
# The hard case for the degrees of freedom: one model's seeds differ ten times as much as the
# other's.
UNEQUAL_SDS = (0.3, 3.0)
# Of the model with one training, and of that with several. The last two are beyond what was seen.
LONE_SDS = (
    (0.0, 0.0),
    (1.5, 1.5),
    (3.0, 0.3),
    (3.0, 3.0),
    (4.5, 0.3),
    (4.5, 4.5),
    (6.0, 0.3),
    (10.0, 0.3),
)
LONE_GAIN = 0.165
ACCURACY, GAIN, LEVEL = 0.65, 0.02, 0.05
# Shares of the latent number's variance. Two models are right or wrong together on 73 % of the
# images, two trainings of one model on 79 %.
SHARED, OWN = 0.6, 0.15
# Answers that are held at a time.
BATCH = 4_000_000
N_BOOTSTRAP_RUNS, N_CLASSES, N_TRUTH = 200, 7, 400_000


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one setting gave; shares of 1.

    Attributes:
        n: Test images.
        sds: Standard deviation of a seed's true accuracy, percentage points: the winner's, and each
            opponent's.
        k: Seeds.
        better: Truth equal: "better" than one opponent at least.
        image_only: The same of the test that knows of no noise between seeds.
        one_seed: The same of McNemar's on the first seeds.
        coverage: Truth equal: intervals that hold the truth.
        power: Winner 2 points better: "better" than the first opponent.
        gain_coverage: Winner 2 points better: intervals that hold the truth.
    """

    n: int
    sds: tuple[float, float]
    k: int
    better: float
    image_only: float
    one_seed: float
    coverage: float
    power: float
    gain_coverage: float


def answers(
    n: int, sds: tuple[float, float], k: int, runs: int
) -> Iterator[tuple[float, np.ndarray]]:
    """The winner's true gain and whether each answer is right, for both truths in turn.

    The answers have the shape (some of the runs, models, k, n).
    """
    generator = np.random.default_rng([n, round(10 * sds[0]), k])
    step = max(1, BATCH // (3 * k * n))
    for done in range(0, runs, step):
        batch = min(step, runs - done)
        latent = generator.standard_normal((batch, 3, k, n), dtype=np.float32) * np.float32(
            (1 - SHARED - OWN) ** 0.5
        )
        latent += generator.standard_normal((batch, 3, 1, n), dtype=np.float32) * np.float32(
            OWN**0.5
        )
        latent += generator.standard_normal((batch, 1, 1, n), dtype=np.float32) * np.float32(
            SHARED**0.5
        )
        luck = (
            generator.standard_normal((batch, 3, k))
            * np.array([sds[0], sds[1], sds[1]])[:, None]
            / 100
        )
        for gain in (0.0, GAIN):
            accuracy = ACCURACY + luck + np.array([gain, 0.0, 0.0])[:, None]
            yield gain, latent < norm.ppf(accuracy)[..., None].astype(np.float32)


def better(p_values: list[np.ndarray], differences: list[np.ndarray]) -> np.ndarray:
    """Whether the winner would be called better, (runs, opponents)."""
    return (holm(np.stack(p_values, axis=-1)) < LEVEL) & (np.stack(differences, axis=-1) > 0)


def image_only(found: TwoLevel, n: int) -> np.ndarray:
    """P value of the image part alone."""
    return 2 * t.sf(np.abs(found.difference) / found.image_sd, n - 1)


def one_seed(right: np.ndarray) -> np.ndarray:
    """Whether McNemar's test on first seeds alone calls the winner better, (runs, opponents)."""
    winner, others = right[:, 0, 0], (right[:, 1, 0], right[:, 2, 0])
    counts = [((winner & ~other).sum(axis=-1), (other & ~winner).sum(axis=-1)) for other in others]
    return better([mcnemar(a, b) for a, b in counts], [a - b for a, b in counts])


def simulate(n: int, sds: tuple[float, float], k: int, runs: int) -> Cell:
    """One setting under both truths."""
    sums = np.zeros(6)
    for gain, right in answers(n, sds, k, runs):
        found = [two_level(right[:, 0], right[:, opponent]) for opponent in (1, 2)]
        differences = [one.difference for one in found]
        said = better([one.p_value for one in found], differences)
        held = np.mean([(one.low <= gain) & (gain <= one.high) for one in found], axis=0)
        if gain:
            sums[4:] += said[:, 0].sum(), held.sum()
            continue
        of_images = better([image_only(one, n) for one in found], differences)
        sums[:4] += [s.any(axis=1).sum() for s in (said, of_images, one_seed(right))] + [held.sum()]
    shares = (float(share) for share in sums / runs)
    names = ("better", "image_only", "one_seed", "coverage", "power", "gain_coverage")
    return Cell(n=n, sds=sds, k=k, **dict(zip(names, shares, strict=True)))


def lone(n: int, sds: tuple[float, float], k: int, runs: int) -> tuple[float, float]:
    """Verdicts on one training against k.

    Returns:
        Truth equal: share of runs that call either better. The other model 16.5 points better:
        share that call it so.
    """
    generator = np.random.default_rng([n, *(round(10 * sd) for sd in sds), k])
    said = np.zeros(2)
    step = max(1, BATCH // (2 * k * n))
    for done in range(0, runs, step):
        batch = min(step, runs - done)
        shared, own = (
            generator.standard_normal((batch, models, 1, n)) * share**0.5
            for models, share in ((1, SHARED), (2, OWN))
        )
        chance = generator.standard_normal((batch, 2, k, n)) * (1 - SHARED - OWN) ** 0.5
        luck = generator.standard_normal((batch, 2, k)) * np.array(sds)[:, None] / 100
        for number, gain in enumerate((0.0, LONE_GAIN)):
            accuracy = np.clip(ACCURACY + luck + np.array([0.0, gain])[:, None], 0.001, 0.999)
            right = shared + own + chance < norm.ppf(accuracy)[..., None]
            one, several = right[:, 0, :1], right[:, 1]
            found = two_level(one, several)
            bound = plausible_seed_sd(one, several)
            p = far_beyond_seeds(found.difference, found.image_sd, (1, k), bound)
            is_right = found.difference < 0 if gain else True
            said[number] += np.count_nonzero((p < FAR_LEVEL) & is_right)
    return float(said[0] / runs), float(said[1] / runs)


def show_lone(runs: int) -> None:
    """Print the second table."""
    print(
        "\n| test images | sd of the lone model's seeds | of the other's | its seeds | false"
        " verdict | right at 16.5 points |\n|" + " ---: |" * 6
    )
    for n, sds, k in product(N_IMAGES, LONE_SDS, N_SEEDS):
        false, power = lone(n, sds, k, runs)
        shares = f"{100 * false:.1f} % | {100 * power:.1f} %"
        print(f"| {n:,} | {sds[0]} | {sds[1]} | {k} | {shares} |")


def show(cells: list[Cell]) -> None:
    """Print the first table."""
    print(
        "| test images | seed sd, points | seeds | false “better” | images only | one-seed McNemar"
        " | coverage | power at +2 points | coverage there |\n|" + " ---: |" * 9
    )
    for c in cells:
        shares = (c.better, c.image_only, c.one_seed, c.coverage, c.power, c.gain_coverage)
        sd = " and ".join(str(one) for one in dict.fromkeys(c.sds))
        print(
            f"| {c.n:,} | {sd} | {c.k} | "
            + " | ".join(f"{100 * share:.1f} %" for share in shares)
            + " |"
        )


def draw(cells: list[Cell], path: Path) -> None:
    """Draw the first table: false "better" above, power below, a column per number of images."""
    settings = {
        "svg.hashsalt": "verdict",
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.grid": True,
        "grid.alpha": 0.3,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(8, 5), layout="constrained", facecolor="white")
        axes = figure.subplots(2, len(N_IMAGES), sharex=True, sharey="row")
        for column, n in enumerate(N_IMAGES):
            chosen = [c for c in cells if c.n == n]
            top, bottom = axes[:, column]
            top.set_title(f"{n:,} test images")
            for k, dashes in zip(N_SEEDS, ("--", "-"), strict=True):
                of_k = [c for c in chosen if c.k == k]
                plot(
                    top,
                    [c.image_only for c in of_k],
                    f"^{dashes}",
                    "#D55E00",
                    f"images only, {k} seeds",
                )
                plot(
                    top,
                    [c.better for c in of_k],
                    f"o{dashes}",
                    "#0072B2",
                    f"images and seeds, {k} seeds",
                )
                plot(
                    bottom,
                    [c.power for c in of_k],
                    f"o{dashes}",
                    "#0072B2",
                    f"images and seeds, {k} seeds",
                )
            plot(
                top,
                [c.one_seed for c in chosen if c.k == max(N_SEEDS)],
                "s-.",
                "#57606A",
                "McNemar, one seed",
            )
            top.axhline(100 * LEVEL, color="black", linewidth=0.8, linestyle=":", label="5 %")
            bottom.set_xlabel("spread of the seeds (sd, points)")
            bottom.set_xticks(SEED_SDS)
        axes[0, 0].set_ylabel("“better” though equal, %")
        axes[1, 0].set_ylabel("“better” when 2 points better, %")
        axes[0, 0].set_ylim(bottom=0)
        axes[1, 0].set_ylim(0, 100)
        axes[0, 0].legend(fontsize=7, loc="upper left", handlelength=4)
        figure.savefig(path, metadata={"Date": None})


def plot(axes: Axes, shares: list[float], style: str, colour: str, label: str) -> None:
    """One measure against the seeds' spread."""
    axes.plot(
        SEED_SDS, [100 * share for share in shares], style, color=colour, markersize=4, label=label
    )


def probabilities(
    generator: np.random.Generator, n: int, sharpness: float, k: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """True classes and k trainings' probabilities; at sharpness 1 they are nearly calibrated."""
    truth = generator.standard_normal((n, N_CLASSES)) * 1.8
    labels = (truth + generator.gumbel(size=truth.shape)).argmax(axis=1)
    powers = [
        np.exp(sharpness * (truth + 0.3 * generator.standard_normal(truth.shape))) for _ in range(k)
    ]
    return labels, [power / power.sum(axis=1, keepdims=True) for power in powers]


def bootstrap_coverage(n: int, sharpness: float) -> tuple[float, list[float]]:
    """The true calibration error, and how often three intervals hold the truth."""
    names = [str(number) for number in range(N_CLASSES)]
    labels, (one,) = probabilities(np.random.default_rng(0), N_TRUTH, sharpness, 1)
    truth = score(labels, one, names)
    held = np.zeros(3)
    for run in range(N_BOOTSTRAP_RUNS):
        labels, trainings = probabilities(np.random.default_rng([n, run]), n, sharpness, 3)
        scores = [score(labels, one, names) for one in trainings]
        (drawn,) = resample(labels, [trainings], run)
        error, f1 = (
            float(np.mean([getattr(s, name) for s in scores]))
            for name in ("calibration_error", "macro_f1")
        )
        held += [
            holds(percentile_interval(f1, drawn.macro_f1), truth.macro_f1),
            holds(percentile_interval(error, drawn.calibration_error), truth.calibration_error),
            holds(
                reflected_interval(error, drawn.calibration_error, least=0.0),
                truth.calibration_error,
            ),
        ]
    return truth.calibration_error, (held / N_BOOTSTRAP_RUNS).tolist()


def holds(interval: Estimate, truth: float) -> bool:
    """Whether the truth lies within."""
    return interval.low <= truth <= interval.high


def main() -> None:
    """Simulate, print, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--figure", type=Path, default=Path("docs/verdict.svg"))
    options = parser.parse_args()
    cells = [
        simulate(n, (sd, sd), k, options.runs) for n, sd, k in product(N_IMAGES, SEED_SDS, N_SEEDS)
    ]
    show(cells + [simulate(max(N_IMAGES), UNEQUAL_SDS, k, options.runs) for k in N_SEEDS])
    draw(cells, options.figure)
    show_lone(options.runs)
    print(
        "\n| test images | true calibration error | macro F1 | calibration error, percentiles |"
        " reflected |"
    )
    print("|" + " ---: |" * 5)
    for n, sharpness in product(N_IMAGES, (1.0, 1.5)):
        truth, shares = bootstrap_coverage(n, sharpness)
        print(
            f"| {n:,} | {truth:.3f} | "
            + " | ".join(f"{100 * share:.0f} %" for share in shares)
            + " |"
        )


if __name__ == "__main__":
    main()
