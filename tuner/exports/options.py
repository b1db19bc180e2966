"""What you ask of `export`, and what holds where you say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.exports.formats import InputType, Quantization
from tuner.pipeline.run_options import DATA_ROOT

# Share of the test images whose label may differ from the original's. Sums in another order change
# a probability by about 1e-6 and float16 by about 1e-3, which moves only images that stand on the
# border of two classes; more than one in 200 is a fault of the conversion. The 256 steps of int8
# move more of them: about as many become right as become wrong, so 2 % of the labels cost well
# under a point of accuracy. The accuracy of both stands beside it.
MAX_DIFFERING = 0.005
MAX_DIFFERING_INT8 = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Options of `export`.

    Attributes:
        run: A run's folder, or a name of it, or a best.yaml.
        format: A name of `FORMATS`.
        quantize: Numbers in which the file computes; None keeps float32.
        model: Name of one of the run's models, or a .keras file; None takes the recommended one.
        out: The folder to write; None puts it below the run's.
        input_type: Type of the images that the file takes, on the scale of 0-255.
        max_differing: Share of test images whose label may differ; None for the usual one.
        check_images: Test images that check the file at most.
        data: Other data of the same classes that check it; None takes the recipe's own.
        data_dir: Root of the data.
    """

    run: Path
    format: str
    quantize: Quantization | None = None
    model: str | None = None
    out: Path | None = None
    input_type: InputType = "uint8"
    max_differing: float | None = None
    check_images: int = 1000
    data: str | None = None
    data_dir: Path = DATA_ROOT

    @property
    def allowed(self) -> float:
        """Share of test images whose label may differ."""
        if self.max_differing is not None:
            return self.max_differing
        return MAX_DIFFERING_INT8 if self.quantize == "int8" else MAX_DIFFERING
