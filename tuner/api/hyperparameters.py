"""The best hyperparameters of a run as Keras Tuner's `HyperParameters`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuner.backend import environment
from tuner.errors import ConfigurationError
from tuner.names import is_own
from tuner.records.search_summary import SearchSummary
from tuner.space.definition import Parameter, Space, by_name

if TYPE_CHECKING:
    import keras_tuner


def best_hyperparameters(search: SearchSummary) -> keras_tuner.HyperParameters:
    """The winner's values, and the space of its family.

    Args:
        search: What was searched and found.

    Raises:
        ConfigurationError: If a builder of your own was searched and another model has won.
    """
    if is_own(search.model) and search.winner_model != search.model:
        raise ConfigurationError(
            f"the winner is a setting of the model {search.winner_model} that the search started"
            f" with; its hyperparameters are not those of {search.model}",
            "take the best trial of your builder from `run.trials`, where its trials have no"
            " `model`, or search with `start_from: []`.",
        )
    environment.prepare()
    from tuner.search.methods.keras_tuner_space import declared

    parameters = tuple(map(_of_one_kind, search.of_winner))
    hp = declared(Space(parameters=parameters, fixed={}), steps=True)
    searched = by_name(parameters)
    for name, value in search.best_values.items():
        # Keras Tuner knows no other kinds of values.
        if name not in searched and isinstance(value, str | int | float):
            hp.Fixed(name, value)
    hp.values = dict(search.best_values)
    return hp


def _of_one_kind(parameter: Parameter) -> Parameter:
    """A list of whole numbers and others as floats: Keras Tuner takes lists of one kind only."""
    kinds = {type(value) for value in parameter.choices}
    if kinds == {int, float}:
        return replace(parameter, choices=tuple(map(_as_float, parameter.choices)))
    return parameter


def _as_float(value: Any) -> float:
    return float(value)
