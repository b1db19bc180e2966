"""Loads thousands of damaged and hostile files: each is loaded, skipped or refused.

A file that is skipped has a reason.

    python -m tests.soak.fuzz_data [--cases 2200] [--seed 0] [--light] [--only NUMBER] [--keep
    FOLDER]

The first cases are made by hand (a PNG of 50,000 x 50,000, zip bombs, a GIF of 10,000 frames), the
others are mutations of small files of every kind. Each runs in a process of its own, where a loader
may take 8 seconds of a core and 1.5 GB. What goes wrong is printed and kept in a folder; exits with
1 if anything did. The same seed makes the same cases.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tests.data.samples import make_card
from tests.soak import corpus, mutations, table_corpus
from tests.soak.children import Limits, start_timers, stop_timers, within
from tests.soak.options import fuzz_options
from tuner.data.cache.cache_folder import LIMIT_VARIABLE
from tuner.data.cards.card import Card
from tuner.data.downloads.archive import unpack
from tuner.data.images import Images
from tuner.data.load import load_images
from tuner.data.own.image_size import in_size
from tuner.data.own.resolve import resolve
from tuner.errors import TunerError

LIMITS = Limits(seconds=8.0, wait_s=30.0, n_bytes=1_500_000_000, n_addresses=8 * 2**30)
_KINDS = ("image", "image", "image", "fer", "array", "npz", "archive", "table", "list", "arrays")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Files to give to the loaders.

    Attributes:
        kind: Which loaders get them: image, fer, array, npz or archive; table, list and arrays have
            no card.
        what: How they were made.
        files: By their path in the case's folder.
    """

    kind: str
    what: str
    files: corpus.Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a case ended.

    Attributes:
        problem: What went wrong; nothing if all is well.
        ends: `loaded`, `skipped` or `refused`, for each way in which the files were given.
        said: The reasons for it.
        duration_s: Processor time.
        peak_bytes: Memory.
    """

    problem: str
    ends: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    duration_s: float = 0.0
    peak_bytes: int = 0


def main() -> int:
    """Run the cases."""
    parser = fuzz_options(__doc__, 2200, "fuzz_data")
    parser.add_argument(
        "--light",
        action="store_true",
        help="a third of those made by hand, none that takes seconds",
    )
    options = parser.parse_args()
    ends: Counter[str] = Counter()
    n = n_wrong = 0
    slowest_s, most_bytes = 0.0, 0
    for n, case in enumerate(cases(options.cases, options.seed, light=options.light), start=1):
        if options.only is not None:
            if n == options.only:
                with tempfile.TemporaryDirectory() as folder:
                    print(case.kind, case.what, list(give(case, Path(folder))))
            continue
        outcome = run(case)
        ends.update(outcome.ends)
        slowest_s, most_bytes = (
            max(slowest_s, outcome.duration_s),
            max(most_bytes, outcome.peak_bytes),
        )
        if outcome.problem:
            n_wrong += 1
            kept = options.keep / f"seed-{options.seed}-case-{n}"
            shutil.rmtree(kept, ignore_errors=True)
            _write(case, kept)
            print(
                f"case {n} ({case.kind}, {case.what}), kept in {kept}: {outcome.problem}",
                flush=True,
            )
    if options.only is None:
        shown = ", ".join(f"{ends[end]} times {end}" for end in ("loaded", "skipped", "refused"))
        print(
            f"{shown}; at most {slowest_s:.1f} s and {most_bytes / 1e6:,.0f} MB; {n_wrong} of {n}"
            " went wrong"
        )
    return 1 if n_wrong else 0


def cases(n: int, seed: int, *, light: bool = False) -> Iterator[Case]:
    """The first n: those made by hand, then mutations."""
    made = list(chain(*specials()))
    if light:
        made = [case for case in made if case.what not in corpus.SLOW][::3]
    yield from made[:n]
    for number in range(max(0, n - len(made))):
        yield mutated(random.Random(f"{seed}-{number}"))


def specials() -> Iterator[Iterator[Case]]:
    """The cases made by hand."""
    yield (
        _image_case(what, data, n=1 + (what in corpus.SLOW))
        for what, data in corpus.special_images().items()
    )
    yield (
        Case(kind="fer", what=what, files={"x.csv": data})
        for what, data in corpus.special_fer().items()
    )
    yield (
        Case(kind="array", what=what, files=files)
        for what, files in corpus.special_arrays().items()
    )
    yield (
        Case(kind="npz", what=what, files={"x.npz": data})
        for what, data in corpus.special_npz().items()
    )
    yield (
        Case(kind="archive", what=what, files=files)
        for what, files in corpus.special_archives().items()
    )
    yield (
        Case(kind="table", what=name, files={name: data})
        for name, data in table_corpus.special_tables().items()
    )
    yield (
        Case(kind="list", what=what, files=files)
        for what, files in table_corpus.special_lists().items()
    )


def mutated(rng: random.Random) -> Case:
    """A case that chance makes."""
    kind = rng.choice(_KINDS)
    if kind == "image":
        pictures = corpus.images()
        name, other = rng.choice(sorted(pictures)), pictures[rng.choice(sorted(pictures))]
        ways = (
            *mutations.BLIND,
            mutations.edit_header,
            mutations.edit_png_chunk,
            mutations.edit_tiff_tag,
        )
        what, data = _mutate(rng, pictures[name], other, ways)
        return _image_case(f"{name}: {what}", data)
    if kind == "fer":
        what, data = _mutate(rng, corpus.fer_csv(), corpus.npz(), _ways_for_text())
        return Case(kind=kind, what=what, files={"x.csv": data})
    if kind == "array":
        files = dict(corpus.array_csvs())
        name = rng.choice(sorted(files))
        what, files[name] = _mutate(rng, files[name], corpus.fer_csv(), _ways_for_text())
        return Case(kind=kind, what=f"{name}: {what}", files=files)
    ways = (*mutations.BLIND, mutations.edit_header, mutations.edit_member, mutations.edit_member)
    if kind == "npz":
        what, data = _mutate(rng, corpus.npz(), corpus.images()["rgb.png"], ways)
        return Case(kind=kind, what=what, files={"x.npz": data})
    if kind in ("table", "list", "arrays"):
        return _without_card(kind, rng)
    if rng.random() < 0.5:
        what, data = _mutate(rng, corpus.packed(corpus.photos()), corpus.npz(), ways)
        return Case(kind=kind, what=f"zip: {what}", files={"pets.zip": data})
    suffix, compress = rng.choice(sorted(corpus.COMPRESSIONS.items()))
    inner, outer = corpus.tarred(corpus.photos(), pax="a" * 200), b""
    if rng.random() < 0.7:
        what, inner = _mutate(
            rng, inner, corpus.npz(), (mutations.edit_tar_header, *mutations.BLIND)
        )
        outer = compress(inner)
    else:
        what, outer = _mutate(
            rng, compress(inner), corpus.npz(), (*mutations.BLIND, mutations.edit_header)
        )
    return Case(kind=kind, what=f"{suffix}: {what}", files={f"pets.{suffix}": outer})


def _without_card(kind: str, rng: random.Random) -> Case:
    """A table, a list of files, or arrays, in one of the forms that are read without a card."""
    if kind == "table":
        name, given = rng.choice(sorted(table_corpus.tables().items()))
        is_text = name.endswith(("csv", "tsv")) and name != "marked.csv"
        what, data = _mutate(
            rng, given, corpus.fer_csv(), _ways_for_text() if is_text else mutations.BLIND
        )
        return Case(kind=kind, what=f"{name}: {what}", files={name: data})
    if kind == "list":
        form, files = rng.choice(sorted(table_corpus.lists().items()))
        # The table nine times in ten, else an image.
        names = [name for name in files if name.endswith(".csv") == (rng.random() < 0.9)] or list(
            files
        )
        name = rng.choice(sorted(names))
        ways = _ways_for_text() if name.endswith(".csv") else mutations.BLIND
        what, data = _mutate(rng, files[name], corpus.fer_csv(), ways)
        return Case(kind=kind, what=f"{form}, {name}: {what}", files=files | {name: data})
    if rng.random() < 0.3:
        files = table_corpus.npy_files()
        name = rng.choice(sorted(files))
        what, data = _mutate(
            rng, files[name], corpus.npz(), (*mutations.BLIND, mutations.edit_header)
        )
        return Case(kind=kind, what=f"{name}: {what}", files=files | {name: data})
    form, given = rng.choice(sorted(table_corpus.arrays().items()))
    ways = (*mutations.BLIND, mutations.edit_member, mutations.edit_member)
    what, data = _mutate(rng, given, corpus.images()["rgb.png"], ways)
    return Case(kind=kind, what=f"{form}: {what}", files={"a.npz": data})


def _ways_for_text() -> tuple[mutations.Mutation, ...]:
    return (*mutations.BLIND, *[mutations.edit_text] * 6)


def _mutate(
    rng: random.Random, data: bytes, other: bytes, ways: tuple[mutations.Mutation, ...]
) -> tuple[str, bytes]:
    # Only the first may be one that reads its format.
    chosen = [rng.choice(ways), *rng.choices(mutations.BLIND, k=rng.choice((0, 0, 0, 1, 2)))]
    for way in chosen:
        data = way(rng, data, other)
    return ", ".join(way.__name__ for way in chosen), data


def _image_case(what: str, data: bytes, n: int = 1) -> Case:
    """A folder with n copies of the picture; loaders decode several at a time."""
    files = {f"photos/{name}/good.png": corpus.good_image() for name in ("cat", "dog")}
    return Case(
        kind="image", what=what, files=files | {f"photos/cat/{i}.jpg": data for i in range(n)}
    )


def run(case: Case) -> Outcome:
    """Give a case to the loaders in a process of its own."""
    with tempfile.TemporaryDirectory() as root:
        ended = within(LIMITS, lambda: _given(case, Path(root) / "case"))
        left = sorted(path.name for path in Path(root).iterdir())
    problem = ended.problem or ("" if left == ["case"] else f"it leaves {left}")
    found = ended.told or []
    return Outcome(
        problem=problem,
        ends=tuple(end for end, _ in found),
        said=tuple(said for _, said in found),
        duration_s=ended.duration_s,
        peak_bytes=ended.peak_bytes,
    )


def _given(case: Case, folder: Path) -> list[tuple[str, str]]:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)  # libtiff and others talk
    warnings.simplefilter("error")
    return list(give(case, folder))


def give(case: Case, folder: Path) -> Iterator[tuple[str, str]]:
    """Give a case to the loaders in every way; how each way ended, and the reason.

    A way that takes too long ends the process: a signal without a handler stops even what hangs in
    a C library.
    """
    _write(case, folder / "given")
    for way in _ways(case, folder):
        start_timers(LIMITS)
        try:
            unreadable = way()
        except TunerError as error:
            assert error.message, "an error without a message"
            assert error.hint, f"an error without a hint: {error.message}"
            yield "refused", error.message
        else:
            yield ("skipped", unreadable[0]) if unreadable else ("loaded", "")
    stop_timers()


def _ways(case: Case, folder: Path) -> Iterator[Callable[[], tuple[str, ...]]]:
    given = folder / "given"
    names = {"image": "photos", "fer": "x.csv", "npz": "x.npz", "list": "pets"}
    first = next(iter(case.files))
    own = given / names.get(case.kind, "arrays" if first.startswith("arrays/") else first)
    if case.kind == "archive":
        yield lambda: _unpacked(own, folder / "out")
    elif case.kind not in ("table", "list", "arrays"):
        yield lambda: _loaded(_card(case.kind), given, case)
    if case.kind == "image":
        yield lambda: _streamed(given, case)
    if case.kind != "array":
        yield lambda: _loaded(in_size(resolve(str(own), [], folder)), folder, case)


def _unpacked(archive: Path, to: Path) -> tuple[str, ...]:
    try:
        unpack(archive, to)
    finally:
        left = {path.name for path in to.parent.iterdir()} - {"given", "out"}
        assert not left, f"unpacking leaves {left}"
        assert sum(1 for path in archive.parent.iterdir()) == 1, (
            "something stands beside the archive"
        )
    assert not any(path.is_symlink() for path in to.rglob("*")), "a link was unpacked"
    return ()


def _loaded(card: Card, data_root: Path, case: Case) -> tuple[str, ...]:
    images = load_images(card, data_root)
    n = len(images.labels)
    assert len(images.images) == len(images.parts) == len(images.origins) == n, (
        "arrays of different lengths"
    )
    assert case.kind != "image" or n + len(images.unreadable) == len(case.files), (
        "an image was lost"
    )
    n_pictures = sum(name.endswith("png") for name in case.files)
    assert case.kind != "list" or _accounted_for(images) >= n_pictures, "a file was lost"
    assert sum(int(image.shape == card.image.shape) for image in images.images[:]) == n, (
        "an image of another shape"
    )
    return images.unreadable


def _accounted_for(images: Images) -> int:
    """Files that are used, unreadable or left out."""
    used = {origin.partition(" (")[0] for origin in images.origins}
    there = (
        one for one in images.left_out if one.unit == "file" and "but not there" not in one.reason
    )
    return len(used) + len(images.unreadable) + sum(one.n_files for one in there)


def _streamed(given: Path, case: Case) -> tuple[str, ...]:
    """Load images that are too many for the cache."""
    before = os.environ.get(LIMIT_VARIABLE, "")
    os.environ[LIMIT_VARIABLE] = "1B"
    try:
        card = _card(case.kind)
        return _loaded(card.model_copy(update={"name": "streamed"}), given, case)
    finally:
        os.environ[LIMIT_VARIABLE] = before


def _card(kind: str) -> Card:
    files: dict[str, dict[str, Any]] = {
        "image": {"type": "class_folders", "path": "photos"},
        "fer": {"type": "fer_csv", "path": "x.csv"},
        "array": {"type": "array_csv", "train_images": "x.csv", "train_labels": "y.csv"},
        "npz": {"type": "npz", "path": "x.npz"},
    }
    splits = (
        {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
        if kind == "fer"
        else {}
    )
    return make_card(
        files[kind], size=corpus.SIDE, channels=3 if kind in ("image", "npz") else 1, splits=splits
    )


def _write(case: Case, folder: Path) -> None:
    for name, data in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
