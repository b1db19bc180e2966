"""What the columns of a table mean, by their names and their first rows."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tuner.errors import DataError
from tuner.names import printable

# In the order of preference; a name tells more than a number does.
_LABELS = """
    label labels class classes target targets category categories y emotion expression digit letter
    character species breed diagnosis dx disease finding sentiment classname labelname classlabel
    categoryname targetname tag tags classid labelid categoryid targetid classindex labelindex
""".split()  # noqa: SIM905
_USAGES = frozenset("usage split splits set dataset subset partition part phase".split())  # noqa: SIM905
_GROUPS = frozenset(
    """
    patient patientid subject subjectid person personid participant participantid individual
    individualid group groupid lesion lesionid writer writerid
""".split()  # noqa: SIM905
)
_IDS = frozenset("id index idx rowid unnamed0 no nr number rownumber".split()) | {""}  # noqa: SIM905
_PIXELS = frozenset("pixels pixel image images img data values".split())  # noqa: SIM905

# Fewer values than a 4 x 4 image has.
LEAST_VALUES = 16
# Different labels of a column, as a share of its rows; beyond it, they are no classes.
_MOST_CLASSES_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSample:
    """The beginning of a table.

    Attributes:
        header: Names of the columns; or the first row, where there is no header.
        rows: The following rows, each as wide as the header.
    """

    header: list[str]
    rows: list[list[str]]

    def column(self, at: int) -> list[str]:
        """The values of a column."""
        return [row[at] for row in self.rows]


def plain(name: str) -> str:
    """A column's name without case, blanks and marks: `Image_ID` and `image id` are one."""
    return re.sub(r"[\W_]+", "", name.casefold())


def label_at(header: Sequence[str], among: Collection[int]) -> int | None:
    """The column of labels: by its name, or the only one that is no number of the row."""
    known = [at for at in among if plain(header[at]) in _LABELS]
    if known:
        return min(known, key=lambda at: _LABELS.index(plain(header[at])))
    others = [at for at in among if plain(header[at]) not in _IDS]
    return others[0] if len(others) == 1 else None


def usage_at(header: Sequence[str], among: Collection[int]) -> int | None:
    """The column of the parts, by its name."""
    return _named(header, among, _USAGES)


def group_at(header: Sequence[str], among: Collection[int]) -> int | None:
    """The column of what images are not parted from, by its name."""
    return _named(header, among, _GROUPS)


def _named(header: Sequence[str], among: Collection[int], names: Collection[str]) -> int | None:
    found = [at for at in among if plain(header[at]) in names]
    return found[0] if len(found) == 1 else None


def text_at(sample: TableSample) -> int | None:
    """The column whose fields hold a whole image each, as in FER2013."""
    if not sample.rows:
        found = [at for at, name in enumerate(sample.header) if plain(name) == "pixels"]
        return found[0] if len(found) == 1 else None
    found = [at for at, text in enumerate(sample.rows[0]) if is_image(text)]
    named = [at for at, name in enumerate(sample.header) if plain(name) in _PIXELS]
    if len(found) != 1:
        both = [at for at in found if at in named]
        found = both or [at for at in named if plain(sample.header[at]) == "pixels"]
    return found[0] if len(found) == 1 else None


def is_image(text: str) -> bool:
    """Whether a field holds many numbers."""
    begin = text[:400].strip()
    n = len(re.split(r"[\s,;|]+", begin))
    return (
        n >= LEAST_VALUES and re.fullmatch(r"[\[({]*[-+.\d][-+.\deE,;|\s\[\]]*", begin) is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelBlock:
    """Columns that hold a value of an image each.

    Attributes:
        columns: Their indices.
        height: Pixels; 0 where it is not clear.
        width: The same.
        channels: 1 or 3.
        channels_first: Whether all values of a channel follow each other.
    """

    columns: tuple[int, ...]
    height: int
    width: int
    channels: int
    channels_first: bool = False


def block(sample: TableSample, stem: str) -> PixelBlock | None:
    """The columns of an image whose header numbers them: pixel1, 1x1, 0, r0 g0 b0 ...

    Args:
        sample: The table.
        stem: Name of the file, which may tell the size: hmnist_28_28_RGB.

    Returns:
        None where there are no such columns.
    """
    patterns = [re.sub(r"\d+", "#", name.casefold()) for name in sample.header]
    counts = Counter(pattern for pattern in patterns if "#" in pattern)
    if not counts:
        return None
    colours = _colours(counts)
    chosen = colours or [counts.most_common(1)[0][0]]
    columns = tuple(at for at, pattern in enumerate(patterns) if pattern in chosen)
    if len(columns) < LEAST_VALUES:
        return None
    if colours:
        side = math.isqrt(len(columns) // 3)
        is_first = patterns[columns[0]] == patterns[columns[1]]
        side = side if 3 * side * side == len(columns) else 0
        return PixelBlock(
            columns=columns, height=side, width=side, channels=3, channels_first=is_first
        )
    height, width, channels = _size(
        [sample.header[at] for at in columns], chosen[0], len(columns), stem
    )
    return PixelBlock(columns=columns, height=height, width=width, channels=channels)


def _colours(counts: Counter[str]) -> list[str]:
    """The patterns of red, green and blue values, where the columns are called so."""
    by_colour: dict[str, list[str]] = {}
    for pattern in counts:
        words = set(re.findall(r"[a-z]+", pattern))
        for colour, names in (("r", {"r", "red"}), ("g", {"g", "green"}), ("b", {"b", "blue"})):
            if words & names:
                by_colour.setdefault(colour, []).append(pattern)
    found = [patterns[0] for patterns in by_colour.values() if len(patterns) == 1]
    return found if len(found) == 3 and len({counts[one] for one in found}) == 1 else []


def _size(names: list[str], pattern: str, n: int, stem: str) -> tuple[int, int, int]:
    """Height, width and channels: from names such as 28x28, from the file's name, or a square."""
    if pattern.count("#") == 2:
        numbers = [tuple(map(int, re.findall(r"\d+", name[:40])[:2])) for name in names]
        sides = [len({pair[i] for pair in numbers}) for i in (0, 1)]
        if min(sides) >= 4 and sides[0] * sides[1] == n and len(set(numbers)) == n:
            return sides[0], sides[1], 1
    told = re.search(r"(\d{1,4})[x_](\d{1,4})(?:[x_-]?(rgb|3(?!\d)))?", stem.casefold())
    if told:
        height, width, channels = int(told[1]), int(told[2]), 3 if told[3] else 1
        if height * width * channels == n:
            return height, width, channels
    return (*square(n), 1)


def square(n: int) -> tuple[int, int]:
    """Height and width of a square image of n grey values; zeros where there is none."""
    side = math.isqrt(n)
    return (side, side) if side * side == n and side >= 4 else (0, 0)


def has_no_header(sample: TableSample) -> bool:
    """Whether the first row holds values already.

    Such are numbers, but for one label, that do not count the columns.
    """
    header = sample.header
    if len(header) <= LEAST_VALUES:
        return False
    numbers = [cell for cell in header if re.fullmatch(r"-?\d+(\.\d+)?", cell.strip())]
    if len(numbers) < len(header) - 1 or any(plain(cell) in _LABELS for cell in header):
        return False
    # Pandas numbers columns that have no names: 0, 1, 2, ...
    counted = [str(i) for i in range(len(numbers) + 1)]
    return numbers not in (counted[:-1], counted[1:]) and not _are_numbered_again(numbers)


def _are_numbered_again(numbers: list[str]) -> bool:
    """Whether pandas made names of a row of values differ: 0, 0.1, 0.2, 7, 0.3, 7.1 ..."""
    n_of: Counter[str] = Counter()
    for number in numbers:
        first, _, again = number.partition(".")
        if again != (str(n_of[first]) if n_of[first] else ""):
            return False
        n_of[first] += 1
    return max(n_of.values()) > 1


def likelier_label(found: Sequence[Collection[str]]) -> int | None:
    """Which of two columns holds labels, by their different values; None where it is not clear.

    Labels are words, or count their classes; pixels do not, or take far more values.
    """
    are_words = [any(not value.isdecimal() for value in values) for values in found]
    if are_words[0] != are_words[1]:
        return are_words.index(True)
    counts = [_are_counted(values) for values in found]
    if counts[0] != counts[1]:
        return counts.index(True)
    smaller = 0 if len(found[0]) < len(found[1]) else 1
    return smaller if 4 * len(found[smaller]) <= len(found[1 - smaller]) else None


def _are_counted(values: Collection[str]) -> bool:
    numbers = sorted({int(value) for value in values if value.isdecimal() and len(value) < 9})
    return bool(numbers) and numbers[0] <= 1 and numbers[-1] - numbers[0] + 1 == len(numbers)


def may_be_label(values: Collection[str], n_rows: int) -> bool:
    """Whether a column may hold classes: its values are several, and far fewer than rows."""
    return 2 <= len(values) <= max(2, _MOST_CLASSES_SHARE * n_rows)


def is_one_hot(sample: TableSample, among: Sequence[int]) -> bool:
    """Whether in each row one of the columns is 1, and the others are 0."""
    if len(among) < 2 or not sample.rows:
        return False
    for row in sample.rows:
        values = [row[at].strip() for at in among]
        if (
            not set(values) <= {"0", "1", "0.0", "1.0"}
            or sum(v in ("1", "1.0") for v in values) != 1
        ):
            return False
    return True


def unknown_parts(name: str, column: str, values: set[str]) -> DataError:
    """For a column of parts whose values tell no roles."""
    shown = ", ".join(f'"{printable(value[:30])}"' for value in sorted(values)[:5])
    return DataError(
        f'{name}: the column "{column}" holds {shown}; expected train, validation or test',
        "write a card that names the parts under splits, such as splits: "
        f'{{train: "{printable(min(values)[:30])}", test: ...}}; or rename the column.',
    )
