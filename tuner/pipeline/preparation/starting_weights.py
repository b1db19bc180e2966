"""Weights that networks begin from are looked for before anything is searched."""

from __future__ import annotations

from tuner.errors import ConfigurationError
from tuner.execution.make_executor import prepare_this_process
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.weights import weights_problem
from tuner.models.registry import complete
from tuner.pipeline.run_options import RunOptions
from tuner.space.definition import SearchSpaceFile


def check_backbones(file: SearchSpaceFile) -> None:
    """Refuse backbones that cannot be built, such as for missing weights, before hours of search.

    Raises:
        ConfigurationError: With the reason.
    """
    for name in file.compare:
        if name in BACKBONES:
            weights = complete(name, file.backbone)["weights"]
            untrained = (
                "weights: none leaves nothing that was learnt before" if weights == "none" else None
            )
            _refuse_weights(
                f"{file.name}: compare, {name}", untrained or weights_problem(name, weights)
            )
    if file.model in BACKBONES:
        for weights in searched_weights(file):
            _refuse_weights(file.name, weights_problem(file.model, weights))


def searched_weights(file: SearchSpaceFile) -> tuple[str, ...]:
    """What a backbone's `weights` may be in a space."""
    searched = file.space.choices("weights")
    fixed = complete(file.model, file.space.fixed)["weights"]
    return (fixed,) if searched is None else searched


def _refuse_weights(where: str, problem: str | None) -> None:
    if problem:
        raise ConfigurationError(
            f"{where}: {problem}", "docs/backbones.md says what `weights` may be."
        )


def load_weights(options: RunOptions, file: SearchSpaceFile) -> None:
    """Refuse weights that cannot be used, before they fail every trial, or the comparison.

    Weights that can be downloaded are. Of the opponents only those with weights of your own are
    tried: without ImageNet's, a run does what it can.

    Raises:
        WeightsError: With the reason, and how to do without.
    """
    if file.model not in BACKBONES and "weights" not in file.backbone:
        return
    prepare_this_process(options.execution)
    from tuner.models.backbones.network import build_network

    opponents = [name for name in file.compare if name in BACKBONES and "weights" in file.backbone]
    wanted = [(name, file.backbone) for name in opponents]
    if file.model in BACKBONES:
        wanted += [(file.model, {"weights": weights}) for weights in searched_weights(file)]
    for name, values in wanted:
        build_network(BACKBONES[name], complete(name, values))
