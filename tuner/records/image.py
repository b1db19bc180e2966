"""What a model needs to know of its images."""

from __future__ import annotations

from dataclasses import dataclass

# Of a side, as a card or an option may state it.
LEAST_PIXELS, MOST_PIXELS = 4, 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """Shape, classes and pixel statistics of a data set's training images.

    Attributes:
        height: Pixels.
        width: Pixels.
        channels: 1 (grey) or 3 (RGB).
        class_names: In the order of the class numbers.
        mean: Mean of each channel over the training part (with folds, of the first one's), on the
            0-255 scale.
        std: Standard deviation of each channel, over the same.
    """

    height: int
    width: int
    channels: int
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)
