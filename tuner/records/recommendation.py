"""Which model a run recommends, and what validation said of each that it could have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatedModel:
    """What the validation images say of a model.

    Attributes:
        name: Its `ModelResult.name`.
        score: The objective of its kept weights: the mean over its seeds.
        standard_error: Of that mean.
        n_parameters: Parameters, frozen ones included.
        is_constant: Whether its kept model names one class for all validation images, which are of
            several.
        n_networks: Networks whose probabilities it averages.
        n_views: Views of each image that it averages over.
    """

    name: str
    score: float
    standard_error: float
    n_parameters: int
    is_constant: bool = False
    n_networks: int = 1
    n_views: int = 1

    @property
    def is_combined(self) -> bool:
        """Whether it is more than one network that sees each image once."""
        return self.n_networks > 1 or self.n_views > 1

    @property
    def size(self) -> int:
        """Parameters, once for each view: as many more are computed with."""
        return self.n_parameters * self.n_views


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The model to use among all that a run has trained, chosen before the test set was opened.

    Attributes:
        model: Its `ModelResult.name`.
        file: Name of the file in the run's folder that holds it: `model.keras`, or
            `model.weights.h5` where Keras cannot describe the model.
        rule: How it was chosen, in words.
        candidates: The models that it was chosen among, the best on validation first; those that
            name one class only come last.
        level: Names of those that the rule takes for as good as the best, which is the first.
        n_images: Validation images that the recommended one's score rests on.
        left_out: Why a row that combines predictions was not to choose from, by its name.
    """

    model: str
    file: str
    rule: str
    candidates: tuple[ValidatedModel, ...]
    level: tuple[str, ...]
    n_images: int
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def chosen(self) -> ValidatedModel:
        """The recommended one."""
        return next(one for one in self.candidates if one.name == self.model)
