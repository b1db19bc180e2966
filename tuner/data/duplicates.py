"""Identical and near-identical images.

Identical are the same pixels; near-identical is the same picture at another size, crop or quality.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

# An image's hash has 64 bits, half of them set as a rule, so that distances are even.
_MAX_DISTANCE = 6
_MIN_CORRELATION = 0.97
_SIDE = 16
_BAND_BITS = 16
# Within a set of images that share a band, each meets so many others. Only drawings on plain ground
# have larger sets.
_MAX_PARTNERS = 256
_IMAGES_PER_CHUNK = 4096


def copies(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find identical images by a hash of their pixels.

    Args:
        images: (n, height, width, channels); read one by one, so a memory map stays on disk.

    Returns:
        (n,) the index of the first image with the same pixels; an image's own index where it is the
            first.
    """
    pixels = np.asarray(images)  # A memory map's own indexing is several times slower.
    return first_equal(
        hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        for image in pixels
    )


def first_equal(digests: Iterable[bytes]) -> NDArray[np.int64]:
    """Of each digest, the index of the first that equals it."""
    first: dict[bytes, int] = {}
    return np.array(
        [first.setdefault(digest, index) for index, digest in enumerate(digests)], dtype=np.int64
    )


def near_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find sets of near-identical images.

    Such are copies at another size, quality or brightness, with a mark or a trimmed edge.

    Two images are near-identical if their perceptual hashes (ImageHash's `phash`) differ in at most
    6 of 64 bits, and their grey 16 x 16 thumbnails correlate by at least 0.97; sets are chained of
    such pairs. In the happy/sad photos these are the 39 pairs of one photo, from 0.9996 up, and
    nothing else is above 0.89. In FER2013 all of 114 pairs looked at from 0.96 up, and all of the
    14 largest sets, showed one photo; below 0.96 some were two of one person. Images under 16
    pixels a side hold too little to tell: of them only identical ones make a set. 32,000 images of
    48 x 48 take 6 s of one core at 2 GHz.

    Args:
        images: (n, height, width, channels), grey or RGB.

    Returns:
        (n,) the number of the set, counted from 0 in the order of their first images. Identical
            images share a set.
    """
    if min(images.shape[1:3]) < _SIDE:
        return numbered(copies(images))
    thumbnails, hashes = _describe(images)
    rows = thumbnails.view(f"V{_SIDE * _SIDE}").ravel()
    first, which = np.unique(rows, return_index=True, return_inverse=True)[1:]
    return numbered(_sets(thumbnails[first], hashes[first])[which])


def _describe(images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Grey thumbnails (n, 256), and perceptual hashes (n,)."""
    from PIL import Image

    n = len(images)
    thumbnails = np.empty((n, _SIDE * _SIDE), dtype=np.uint8)
    bits = np.empty((n, 64), dtype=np.bool_)
    pixels = np.asarray(images)
    for begin in range(0, n, _IMAGES_PER_CHUNK):
        chunk = slice(begin, begin + _IMAGES_PER_CHUNK)
        small = np.empty((len(pixels[chunk]), 2 * _SIDE, 2 * _SIDE), dtype=np.uint8)
        for index, image in enumerate(pixels[chunk]):
            grey = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("L")
            shrunk = grey.resize(small.shape[1:], Image.Resampling.LANCZOS)
            small[index] = np.asarray(shrunk)
            thumbnails[begin + index] = np.asarray(shrunk.reduce(2)).ravel()
        bits[chunk] = _perceptual_bits(small)
    # Neighbouring frequencies agree; each band takes every fourth bit, so that no band is alike in
    # most images.
    spread = bits.reshape(n, _BAND_BITS, 4).swapaxes(1, 2).reshape(n, 64)
    return thumbnails, np.packbits(spread, axis=1).view("<u8").ravel()


def _perceptual_bits(small: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of the 64 lowest frequencies are above their median, (n, 64).

    The same bits as ImageHash's `phash` (Zauner, Implementation and Benchmarking of Perceptual
    Image Hash Functions, 2010), which takes one image at a time.

    Args:
        small: Grey images (n, 32, 32).
    """
    # Imported here: it takes a quarter of a second, which other commands need not spend.
    from scipy.fft import dct

    columns = dct(small, axis=1)[:, :8]
    low = dct(columns, axis=2)[:, :, :8].reshape(len(small), 64)
    above: NDArray[np.bool_] = low > np.median(low, axis=1, keepdims=True)
    return above


def _sets(thumbnails: NDArray[np.uint8], hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(hashes)
    joined = np.arange(n, dtype=np.int64)
    for pairs in _candidates(hashes):
        one, other = pairs[:, joined[pairs[0]] != joined[pairs[1]]]
        sure = _correlation(thumbnails, one, other) >= _MIN_CORRELATION
        if sure.any():
            edges = (joined[one[sure]], joined[other[sure]])
            graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(n, n))
            joined = connected_components(graph, directed=False)[1][joined].astype(np.int64)
    return joined


def _candidates(hashes: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Pairs (2, k) of hashes at most 6 bits apart, without looking at all pairs.

    Of the four bands of 16 bits, 6 differing bits leave one that differs in a bit at most: pairs
    are found by sorting each band, and looking up every band with none, and with each one, of its
    bits flipped. A pair may come again.
    """
    for band in hashes.astype("<u8").view("<u2").reshape(-1, 4).T:
        order = np.argsort(band, kind="stable")
        keys = band[order]
        for flipped in (0, *(1 << bit for bit in range(_BAND_BITS))):
            wanted = keys ^ np.uint16(flipped)
            stop = np.searchsorted(keys, wanted, side="right")
            if flipped:
                start = np.searchsorted(keys, wanted, side="left")
                stop[wanted < keys] = 0  # found from the other side
            else:
                start = np.arange(1, len(keys) + 1)
            n_partners = np.clip(stop - start, 0, _MAX_PARTNERS)
            for begin in range(0, len(keys), _IMAGES_PER_CHUNK):
                chunk = slice(begin, begin + _IMAGES_PER_CHUNK)
                one, other = _expand(start[chunk], n_partners[chunk])
                pairs = np.stack([order[one + begin], order[other]])
                distance = np.bitwise_count(hashes[pairs[0]] ^ hashes[pairs[1]])
                if (distance <= _MAX_DISTANCE).any():
                    yield pairs[:, distance <= _MAX_DISTANCE]


def _expand(
    start: NDArray[np.int64], n: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row i with each of start[i], start[i] + 1, ..., n[i] of them."""
    rows = np.repeat(np.arange(len(n), dtype=np.int64), n)
    within = np.arange(len(rows), dtype=np.int64) - np.repeat(np.cumsum(n) - n, n)
    return rows, start[rows] + within


def _correlation(
    thumbnails: NDArray[np.uint8], one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Correlation of each pair of thumbnails, (k,); 0 where one of them is of a single colour."""
    result = np.empty(len(one), dtype=np.float64)
    for begin in range(0, len(one), _IMAGES_PER_CHUNK):
        chunk = slice(begin, begin + _IMAGES_PER_CHUNK)
        first, second = (_centred(thumbnails[part[chunk]]) for part in (one, other))
        scale = np.sqrt(np.square(first).sum(axis=1) * np.square(second).sum(axis=1))
        result[chunk] = (first * second).sum(axis=1) / np.maximum(scale, 1e-9)
    return result


def _centred(thumbnails: NDArray[np.uint8]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = thumbnails - thumbnails.mean(axis=1, keepdims=True)
    return centred


def numbered(sets: NDArray[Any]) -> NDArray[np.int64]:
    """The same sets, numbered from 0 in the order of their first members; int64."""
    first, which = np.unique(sets, return_index=True, return_inverse=True)[1:]
    return np.argsort(np.argsort(first))[which].astype(np.int64)
