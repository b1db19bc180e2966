"""The test accuracy that another training by a recipe is expected to have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedScore:
    """What the retrainings of a run scored on its sealed test images.

    Attributes:
        accuracy: Mean test accuracy over the seeds.
        low: Lower end of the interval that holds one more training, with another seed, in at least
            95 % of cases; with one seed it leaves the noise of training out.
        high: Upper end.
        n_images: Test images.
        n_seeds: Retrainings.
        seed_sd: Standard deviation between them; None for one, of which no noise is known.
    """

    accuracy: float
    low: float
    high: float
    n_images: int
    n_seeds: int
    seed_sd: float | None
