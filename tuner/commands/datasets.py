"""`datasets`: the cards, whether their data is there, and the caches of decoded images."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from tuner.data.cache.cache_folder import cache_sizes, delete, entries, locked
from tuner.data.cards.card_files import card_folders, card_names, load_card
from tuner.data.load import missing_paths
from tuner.errors import ConfigurationError
from tuner.report.text import file_size


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDataset:
    """One line of the list.

    Attributes:
        name: What `run` calls it.
        title: What people call it; empty where the card cannot be used.
        is_there: Whether `run` finds its data.
        missing: Where its data should lie; empty where it is there.
        fetch: How to get it.
        error: The card's mistakes; None where it is in order.
        has_card: False for a person's own data, of which only a cache is known.
        cache_bytes: What its cache takes on disk.
    """

    name: str
    title: str = ""
    is_there: bool = False
    missing: tuple[Path, ...] = ()
    fetch: str = ""
    error: ConfigurationError | None = None
    has_card: bool = True
    cache_bytes: int = 0

    def state(self) -> list[str]:
        """Lines that say whether it can be used, and if not, what to do."""
        cache = f"cache: {file_size(self.cache_bytes)}"
        if not self.has_card:
            return [cache]
        if self.error:
            return ["its card cannot be used:", *str(self.error).splitlines()]
        if self.is_there:
            return [f"ready; {cache}" if self.cache_bytes else "ready"]
        # Paths and commands stay whole.
        how = textwrap.wrap(self.fetch, 86, break_long_words=False, break_on_hyphens=False)
        return [_missing(self.missing), *(f"  {line}" for line in how)]

    def record(self) -> dict[str, Any]:
        """The same for `--json`."""
        error = {"error": str(self.error)} if self.error else {}
        found = {
            "name": self.name,
            "title": self.title,
            "is_there": self.is_there,
            "has_card": self.has_card,
        }
        return found | {"cache_bytes": self.cache_bytes} | error


def _missing(paths: Sequence[Path]) -> str:
    """What is missing, with a common folder named once."""
    folders = {path.parent for path in paths}
    if len(paths) == 1 or len(folders) > 1:
        return f"missing: {', '.join(map(str, paths))}"
    return f"missing in {folders.pop()}: {', '.join(path.name for path in paths)}"


def list_datasets(data_root: Path) -> list[ListedDataset]:
    """All data sets with a card, valid or not; then other data that have a cache."""
    folders = card_folders()
    names = card_names(folders)
    caches = cache_sizes(data_root)
    found = []
    for name in names:
        try:
            card = load_card(name, folders)
        except ConfigurationError as error:
            found.append(ListedDataset(name=name, error=error, cache_bytes=caches.get(name, 0)))
            continue
        missing = tuple(missing_paths(card, data_root))
        found.append(
            ListedDataset(
                name=name,
                title=card.title,
                is_there=not missing,
                missing=missing,
                fetch=card.how_to_get,
                cache_bytes=caches.get(name, 0),
            )
        )
    own = sorted(caches.keys() - set(names))
    return found + [
        ListedDataset(
            name=name,
            title="your own data",
            is_there=True,
            has_card=False,
            cache_bytes=caches[name],
        )
        for name in own
    ]


def clean_caches(names: Sequence[str], data_root: Path) -> Iterator[str]:
    """Empty the caches of some data sets, or of all; the files they were made from stay.

    Args:
        names: As `datasets` lists them; none stands for all.
        data_root: Folder of the data.

    Yields:
        What became of each, as a line for people.

    Raises:
        ConfigurationError: If a name is neither a data set's nor that of a cache.
    """
    kept = sorted({entry.name for entry in entries(data_root)})
    known = {*card_names(card_folders()), *kept}
    for name in names:
        if name not in known:
            listed = ", ".join(kept) or "none"
            raise ConfigurationError(
                f'no data set is called "{name}"', f"these have a cache: {listed}."
            )
    freed: Counter[str] = Counter()
    for name in names or kept:
        if name not in kept:
            yield f"{name}: it has no cache"
            continue
        try:
            with locked(name, data_root, timeout_s=0):
                freed[name] += sum(delete(entry) for entry in entries(data_root, name))
        except filelock.Timeout:
            yield f"{name}: skipped, since another command is decoding its images"
        else:
            yield f"{name}: freed {file_size(freed[name])}"
    if len(freed) != 1:
        yield f"freed {file_size(freed.total())} in all"
