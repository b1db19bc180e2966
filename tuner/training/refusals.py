"""Why a setting is not trained: it cannot be built, or is sure to break a constraint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tuner.models import cnn_size
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import HEAD
from tuner.models.registry import build, complete, setting_problem
from tuner.names import is_own
from tuner.records.image import ImageSpec
from tuner.space.constraints import Constraints, Footprint

# Models of ours are saved as float32, without compression.
_BYTES_PER_PARAMETER = 4


def refusal(
    model: str, values: Mapping[str, Any], image_spec: ImageSpec, constraints: Constraints
) -> str | None:
    """Why a setting is not trained, in one line; None where it is.

    Args:
        model: Family or builder.
        values: Its hyperparameters.
        image_spec: Of the images.
        constraints: What its model must stay under. Latency and the exact size of the file are
            known once it is trained.
    """
    problem = setting_problem(model, values, image_spec.height, image_spec.width)
    # What a builder of your own saves need not be float32, so its parameters alone tell.
    is_foreseen = constraints.parameters is not None if is_own(model) else constraints.has_foreseen
    if problem or not is_foreseen:
        return problem
    n = n_parameters(model, values, image_spec)
    # A file holds the weights and more.
    least = n * _BYTES_PER_PARAMETER if n is not None and not is_own(model) else None
    return constraints.broken(Footprint(n_parameters=n, file_bytes=least))


def n_parameters(model: str, values: Mapping[str, Any], image_spec: ImageSpec) -> int | None:
    """Parameters of a whole model, frozen ones included.

    None where it cannot be built: its trial fails with the reason.
    """
    whole = complete(model, values)
    if model == "cnn":
        return cnn_size.n_parameters(whole, image_spec)
    if model in BACKBONES:
        head: int = build(model + HEAD, whole, image_spec).count_params()
        backbone = BACKBONES[model]
        # Only a transformer's positions depend on the size of the images.
        side = backbone.side(whole["input_size"]) if backbone.patch > 1 else None
        return _network_parameters(model, side) + head
    return _built_parameters(model, values, image_spec)


@cache
def _network_parameters(model: str, side: int | None) -> int:
    """Parameters of a backbone without its head, which its weights do not change."""
    from tuner.models.backbones.network import build_network

    size = {} if side is None else {"input_size": side}
    values = complete(model, {"weights": "none", **size})
    n: int = build_network(BACKBONES[model], values).count_params()
    return n


def _built_parameters(model: str, values: Mapping[str, Any], image_spec: ImageSpec) -> int | None:
    import keras

    from tuner.training.compiled import compiled_model

    try:
        n: int = compiled_model(model, values, image_spec).count_params()
    # A builder of your own may raise anything, and may even ask for the end of the process.
    except (Exception, SystemExit):
        return None
    finally:
        keras.backend.clear_session()
    return n
