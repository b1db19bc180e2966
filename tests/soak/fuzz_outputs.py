"""Random outputs of made-up models: only probability distributions are accepted.

    python -m tests.soak.fuzz_outputs [--cases 2000] [--seed 0]

Prints how many went wrong; exits with 1 if any did.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np

from tuner.metrics.classification import score
from tuner.metrics.probabilities import ScoreError, checked_probabilities

Array = np.ndarray
Damage = Callable[[Array, np.random.Generator], Array]


def main() -> int:
    """Run all cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    n_wrong = 0
    for number in range(options.cases):
        rng = np.random.default_rng((options.seed, number))
        problem = wrong(rng)
        if problem:
            n_wrong += 1
            print(f"case {number}: {problem}", flush=True)
    print(f"{n_wrong} of {options.cases} went wrong")
    return 1 if n_wrong else 0


def wrong(rng: np.random.Generator) -> str:
    """What is wrong with how one array is taken; empty where nothing is."""
    n, n_classes = int(rng.integers(1, 40)), int(rng.integers(2, 12))
    good = rng.dirichlet(np.full(n_classes, 10 ** rng.uniform(-2, 2)), size=n)
    good = good.astype(rng.choice(["float64", "float32", "float16"]))
    name = str(rng.choice(["nothing", *DAMAGES]))
    found = good if name == "nothing" else DAMAGES[name](good.astype("float64"), rng)
    for take in (taken_for_predictions, taken_for_scores):
        was_refused = take(found, n_classes, rng)
        if was_refused != (name != "nothing"):
            return f"{name} was {'refused' if was_refused else 'accepted'} by {take.__name__}"
    return ""


def taken_for_predictions(found: Array, n_classes: int, rng: np.random.Generator) -> bool:
    """Whether `predict` would refuse it."""
    del rng
    try:
        checked_probabilities(found, n_classes)
    except ScoreError:
        return True
    return False


def taken_for_scores(found: Array, n_classes: int, rng: np.random.Generator) -> bool:
    """Whether the comparison would refuse it; the labels are made up."""
    labels = rng.integers(n_classes, size=len(found))
    try:
        scores = score(labels, found, [str(number) for number in range(n_classes)])
    except (ScoreError, ValueError):
        return True
    assert 0 <= scores.accuracy <= 1
    return False


def _with(values: tuple[float, ...]) -> Damage:
    """Puts one of some values somewhere."""

    def damage(good: Array, rng: np.random.Generator) -> Array:
        good[rng.integers(len(good)), rng.integers(good.shape[1])] = rng.choice(values)
        return good

    return damage


DAMAGES: dict[str, Damage] = {
    "NaN": _with((np.nan,)),
    "infinite": _with((np.inf, -np.inf)),
    "a negative number": _with((-0.5, -3.0, -1e9)),
    "a number above 1": _with((1.5, 40.0, 1e9)),
    "logits": lambda good, rng: rng.normal(scale=5, size=good.shape) + 0.5,
    "log probabilities": lambda good, rng: np.log(np.maximum(good, 1e-9)) - 0.1,
    "sums of two": lambda good, rng: 2 * good,
    "sums of none": lambda good, rng: 0 * good,
    "per cent": lambda good, rng: 100 * good,
    "a class too few": lambda good, rng: good[:, :-1],
    "a class too many": lambda good, rng: np.concatenate([good, 0 * good[:, :1]], axis=1),
    "no rows": lambda good, rng: good.ravel()[: len(good)],
    "further axes": lambda good, rng: good[:, None, :],
}


if __name__ == "__main__":
    sys.exit(main())
