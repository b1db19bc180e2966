"""How the winner and its opponents are retrained: the `retrain:` of a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainSettings:
    """How the winner and its opponents are retrained.

    Attributes:
        epochs: Ceiling, the same for all of them but for what `head_epochs` says.
        head_epochs: Least ceiling where only a head is trained on the kept features of a frozen
            network: its epochs take a part of a second, so a short run gains nothing by fewer.
        seeds: Retrainings per model.
        patience: Epochs without improvement on validation after which a retraining ends.
        finalists: Settings at most that are retrained where chance may have ordered them; the best
            on validation is the winner. None leaves the number to the preset.
        cheap_seeds: Retrainings of finalists and baseline where all are quick to train; None
            for `seeds` whatever it takes.
    """

    epochs: int
    seeds: int
    patience: int
    finalists: int | None = None
    cheap_seeds: int | None = None
    head_epochs: int = 0
