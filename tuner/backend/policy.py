"""What training makes of an accelerator: a decision from the devices alone.

Imports no framework.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.space.definition import Precision

# NVIDIA's compute capabilities from which on there are fast units for 16-bit numbers: Volta for
# float16 (Keras' guide to mixed precision), Ampere for bfloat16, whose range is float32's, so that
# no loss need be scaled.
_FLOAT16_FROM, _BFLOAT16_FROM = (7, 0), (8, 0)


# Side in pixels of the images that `Policy.predict_batch` counts.
_PREDICT_SIDE = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU that the framework can use.

    Attributes:
        name: Such as `Tesla T4`.
        capability: NVIDIA's compute capability, such as (7, 5); None for another maker's.
    """

    name: str
    capability: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How trainings compute.

    Attributes:
        precision: Keras' dtype policy for the layers of our models: `float32`, `mixed_float16` or
            `mixed_bfloat16`.
        uses_xla: Whether TensorFlow compiles steps with XLA, JAX always does.
        predict_batch: Images of 48 x 48 pixels that are predicted together: no gradients are kept,
            so more fit than in training.
    """

    precision: Precision = "float32"
    uses_xla: bool = False
    predict_batch: int = 256

    def n_together(self, n_pixels: int) -> int:
        """How many images of so many pixels are predicted together.

        Of larger ones fewer, or maps would take gigabytes.
        """
        return max(1, min(self.predict_batch, self.predict_batch * _PREDICT_SIDE**2 // n_pixels))

    def __str__(self) -> str:
        if self == PLAIN:
            return "none"
        batch = (
            f"predictions of {self.predict_batch} images of {_PREDICT_SIDE} x {_PREDICT_SIDE}"
            " pixels"
        )
        return f"{self.precision}{', XLA' if self.uses_xla else ''}, {batch}"


# On a CPU without units for them, 16-bit numbers are five times slower than float32; tasks name the
# precision where there are some. XLA takes half a minute for each network.
PLAIN = Policy()


def choose(gpus: Sequence[Gpu]) -> Policy:
    """The policy for a process that uses these GPUs, or none; the weakest of them decides.

    Only GPUs whose abilities are known get mixed precision and XLA.
    """
    if not gpus:
        return PLAIN
    capabilities = [gpu.capability for gpu in gpus if gpu.capability is not None]
    is_known = len(capabilities) == len(gpus)
    precision = _precision(min(capabilities)) if is_known else "float32"
    return Policy(precision=precision, uses_xla=is_known, predict_batch=512)


def _precision(capability: tuple[int, int]) -> Precision:
    if capability >= _BFLOAT16_FROM:
        return "mixed_bfloat16"
    return "mixed_float16" if capability >= _FLOAT16_FROM else "float32"
