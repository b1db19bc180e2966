"""Pixel values written as text."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.decoding.value_range import LARGEST_VALUE, ValueRange, range_of, to_8_bits
from tuner.errors import DataError

# Of one value and what stands around it; a text that is longer on average is no image, and may be
# gigabytes.
_MOST_LETTERS = 64


class FractionError(Exception):
    """An image whose values are fractions: the whole set must be read as such."""


def parse_pixels(
    text: str,
    *,
    separator: str,
    out: NDArray[np.uint8],
    where: str,
    value_range: ValueRange | None = None,
) -> None:
    """Parse one image.

    Args:
        text: Whole numbers from 0 to 255; or numbers, where their range is given.
        separator: What stands between them.
        out: Receives them; any shape of the right size, contiguous.
        where: File and row, for messages.
        value_range: The values that become 0 and 255; what lies beyond is cut off.

    Raises:
        FractionError: If they are numbers that are not whole, and there is no range.
        DataError: If a value is no such number, or there are too many or too few; with `where`.
    """
    is_deep = value_range is not None
    if len(text) > _MOST_LETTERS * out.size:
        raise _explain(
            text[: _MOST_LETTERS * out.size], separator, out, where, is_deep, is_cut=True
        )
    if value_range is None:
        values = _numbers(text, separator, np.int64)
        if values.size == out.size and values.min() >= 0 and values.max() <= 255:
            out.reshape(-1)[:] = values
            return
        if _are_fractions(text, separator, out.size):
            raise FractionError
    else:
        values = _numbers(text, separator, np.float64)
        if values.size == out.size and np.isfinite(values).all():
            # Float32 has no room for all that float64 has.
            within = np.clip(values, *value_range)
            out.reshape(-1)[:] = to_8_bits(within.astype(np.float32), value_range)
            return
    raise _explain(text, separator, out, where, is_deep)


def range_of_texts(texts: Iterable[tuple[str, str]], size: int, where: str) -> ValueRange:
    """The range of a data set with images whose values are fractions.

    What is no number is left to the parsing, which names it.

    Args:
        texts: All images, each with what separates its values.
        size: Values that an image should have.
        where: The file, for messages.

    Raises:
        DataError: If the values are too large for pixels.
    """
    lowest, highest = math.inf, -math.inf
    for text, separator in texts:
        values = _numbers(text[: _MOST_LETTERS * size], separator, np.float64)
        values = values[np.isfinite(values)]
        if values.size:
            lowest, highest = min(lowest, values.min()), max(highest, values.max())
    if max(-lowest, highest) > LARGEST_VALUE:
        raise DataError(
            f"{where}: the values reach from {lowest:g} to {highest:g}; expected pixels",
            "correct them, or save whole numbers from 0 to 255.",
        )
    return range_of(float(lowest), float(highest), is_float=True)


def _are_fractions(text: str, separator: str, n: int) -> bool:
    """Whether they are as many numbers as expected, and one of them is a fraction."""
    if not any(mark in text for mark in ".eE"):
        return False
    values = _numbers(text, separator, np.float64)
    return values.size == n and bool(np.isfinite(values).all())


def _numbers(text: str, separator: str, dtype: type[np.generic]) -> NDArray[Any]:
    """All of them; none where any cannot be parsed."""
    try:
        # numpy's own text parser: five times faster than int() per value.
        with warnings.catch_warnings():
            # Older versions of NumPy only warn of text that is no number, and return the values
            # before it.
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, dtype=dtype, sep=separator)
    except (ValueError, DeprecationWarning):
        return np.empty(0, dtype=dtype)


def _explain(
    text: str,
    separator: str,
    out: NDArray[np.uint8],
    where: str,
    is_deep: bool,
    *,
    is_cut: bool = False,
) -> DataError:
    tokens = (
        text.split() if separator == " " else [token.strip() for token in text.split(separator)]
    )
    expected = "a number" if is_deep else "a whole number from 0 to 255"
    for position, token in enumerate(tokens, start=1):
        if not _is_pixel(token, is_deep):
            shown = token if len(token) <= 20 else f"{token[:17]}..."
            return DataError(
                f'{where}: pixel {position} is "{shown}"; expected {expected}', _hint(token)
            )
    height, width, channels = out.shape
    shape = f"{height} x {width}" if channels == 1 else f"{height} x {width} x {channels}"
    found = f"more than {out.size:,}" if is_cut else f"{len(tokens):,}"
    return DataError(
        f"{where}: it has {found} pixels; expected {out.size:,} ({shape})",
        "correct the row, or delete it; or correct the image size in the card.",
    )


def _is_pixel(token: str, is_deep: bool) -> bool:
    if not is_deep:
        return token.isascii() and token.isdecimal() and len(token) <= 9 and int(token) <= 255
    try:
        return math.isfinite(float(token))
    except ValueError:
        return False


def _hint(token: str) -> str:
    if token.isascii() and token.isdecimal() and len(token) <= 5:
        return (
            "correct the row, or delete it; where values have more than 8 bits, write a card that "
            "states value_range under image, such as [0, 65535]."
        )
    return "correct the row, or delete it."
