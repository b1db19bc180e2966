"""The search methods by name: the one list of them.

It stands below the search so that a space can be checked without any of the code that searches:
the code of a method is named, and imported where a search is made (`method_class`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodEntry:
    """A search method as a file may name it.

    Attributes:
        target: Where its class is, as module:class.
        help: What it does, in the words of the schema and the command line.
        needs_finite_ranges: Whether every searched hyperparameter must have a finite number of
            values.
        needs_parameters: Whether at least one hyperparameter must be searched.
        needs_single_ranges: Whether no hyperparameter may have several ranges.
        begins_with_one_epoch: Whether its first rung cannot be made longer.
        expects_gains: Whether it can tell how much is still to be gained.
    """

    target: str
    help: str
    needs_finite_ranges: bool = False
    needs_parameters: bool = False
    needs_single_ranges: bool = False
    begins_with_one_epoch: bool = False
    expects_gains: bool = False


DEFAULT_METHOD = "hyperband"

METHODS: Mapping[str, MethodEntry] = {
    DEFAULT_METHOD: MethodEntry(
        target="tuner.search.methods.hyperband:Hyperband",
        help=(
            "promotes the best of each rung, in brackets that start with more short trials or fewer"
            " long ones"
        ),
    ),
    "asha": MethodEntry(
        target="tuner.search.methods.asha:Asha",
        help="promotes the best of each rung without waiting for the others",
    ),
    "model_hyperband": MethodEntry(
        target="tuner.search.methods.model_hyperband:ModelHyperband",
        help=(
            "is Hyperband whose promotions and new settings follow a model of the learning curves"
        ),
        expects_gains=True,
    ),
    "random": MethodEntry(
        target="tuner.search.methods.random:RandomSearch",
        help="trains drawn settings to max_epochs",
    ),
    "bayesian": MethodEntry(
        target="tuner.search.methods.bayesian:Bayesian",
        help="trains settings that a Gaussian process proposes to max_epochs",
    ),
    "grid": MethodEntry(
        target="tuner.search.methods.grid:Grid",
        help="trains every setting to max_epochs, one after the other",
        needs_finite_ranges=True,
    ),
    "keras_tuner_hyperband": MethodEntry(
        target="tuner.search.methods.keras_tuner_oracles:KerasTunerHyperband",
        help="is Keras Tuner's own Hyperband",
        needs_parameters=True,
        begins_with_one_epoch=True,
    ),
    "keras_tuner_bayesian": MethodEntry(
        target="tuner.search.methods.keras_tuner_oracles:KerasTunerBayesian",
        help="is Keras Tuner's own Bayesian optimisation",
        needs_parameters=True,
    ),
    "keras_tuner_random": MethodEntry(
        target="tuner.search.methods.keras_tuner_oracles:KerasTunerRandom",
        help="is Keras Tuner's own random search",
        needs_parameters=True,
    ),
    "keras_tuner_grid": MethodEntry(
        target="tuner.search.methods.keras_tuner_oracles:KerasTunerGrid",
        help="is Keras Tuner's own grid search",
        needs_parameters=True,
        # Its order of settings (keras_tuner/src/tuners/gridsearch.py) has one range per name.
        needs_single_ranges=True,
    ),
}


def method_help() -> str:
    """All methods with what they do, as one sentence."""
    return "; ".join(f"{name} {entry.help}" for name, entry in METHODS.items()) + "."
