"""Weights that networks begin from are looked for before anything is searched."""

from __future__ import annotations

from tuner.errors import ConfigurationError
from tuner.execution.make_executor import prepare_this_process
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.weights import weights_problem
from tuner.models.registry import complete
from tuner.pipeline.run_options import RunOptions
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import each_family


def check_backbones(file: SearchSpaceFile) -> None:
    """Refuse backbones that cannot be built, such as for missing weights, before hours of search.

    Raises:
        ConfigurationError: With the reason.
    """
    for name in file.compare:
        if name in BACKBONES:
            weights = complete(name, file.backbone)["weights"]
            untrained = (
                "weights: none means that no part is pretrained" if weights == "none" else None
            )
            _refuse_weights(
                f"{file.name}: compare, {name}", untrained or weights_problem(name, weights)
            )
    for name, weights in searched_weights(file):
        _refuse_weights(file.name, weights_problem(name, weights))


def searched_weights(file: SearchSpaceFile) -> list[tuple[str, str]]:
    """The backbones of a space, each with all that its `weights` may be."""
    return [
        (family.model, weights)
        for family in each_family(file)
        if family.model in BACKBONES
        for weights in family.space.possible("weights") or (complete(family.model, {})["weights"],)
    ]


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
    searched = searched_weights(file)
    if not searched and "weights" not in file.backbone:
        return
    prepare_this_process(options.execution)
    from tuner.models.backbones.network import build_network

    opponents = [name for name in file.compare if name in BACKBONES and "weights" in file.backbone]
    wanted = [(name, file.backbone) for name in opponents]
    wanted += [(name, {"weights": weights}) for name, weights in searched]
    for name, values in wanted:
        build_network(BACKBONES[name], complete(name, values))
