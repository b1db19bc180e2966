"""Data sets that need no download."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from tuner.data.described import Described
from tuner.data.formats.loader import Loader, Sources
from tuner.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuner.data.images import Allocate, Images


class Generated(Loader):
    """Images that need no file."""

    type: Literal["generator"]
    generator: Literal["digits", "drawn_faces"]
    n: int | None = Field(default=None, ge=1, description="number of images; drawn_faces only")
    seed: int = Field(default=0, ge=0, description="drawn_faces only")

    path_keys: ClassVar[tuple[str, ...]] = ()

    @field_validator("n", "seed")
    @classmethod
    def _is_used(cls, value: int | None, info: ValidationInfo) -> int | None:
        if info.data.get("generator") == "digits":
            raise ValueError("does not go with digits, which are always the same. | remove it.")
        return value

    def sources(self, card: Described, data_root: Path) -> Sources:
        """No files."""
        return Sources(paths=[])

    def read(self, card: Described, data_root: Path, allocate: Allocate) -> Images:
        """Make the images; the card's class names are in the order of the generator's labels.

        Raises:
            ConfigurationError: If the card states another image size, or another number of classes.
        """
        from tuner.data.images import make_images

        if self.generator == "digits":
            images, labels = _digits()
        else:
            from tuner.data.formats.drawn_faces import draw_faces

            images, labels = draw_faces(self.n or 3000, self.seed, card.image.height)
        names = card.class_numbers()
        n_classes = int(labels.max()) + 1
        if images.shape[1:] != card.image.shape or names is None or len(names[0]) != n_classes:
            made = " x ".join(map(str, images.shape[1:]))
            raise ConfigurationError(
                f"{card.name}: {self.generator} makes {made} images in {n_classes} classes, but the"
                " card says otherwise",
                "correct image and class_names in the card.",
            )
        pixels = allocate(len(images))
        pixels[:] = images
        return make_images(
            name=card.name,
            images=pixels,
            labels=labels,
            parts=[""] * len(labels),
            origins=[f"image {number}" for number in range(len(labels))],
            class_names=names[0],
        )


def _digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """scikit-learn's 1,797 handwritten digits (UCI), 8 x 8, brightness 0-16 stretched to 0-255."""
    import numpy as np
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255.0 / 16.0)).astype(np.uint8)
    return images[..., np.newaxis], bunch.target.astype(np.int64)
