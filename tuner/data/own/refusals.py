"""Why a folder of images is not read: a message and a way out for each unclear layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.data.downloads.archive import is_archive
from tuner.data.folders.part_names import is_part
from tuner.data.folders.tree import Folder
from tuner.data.splits.split_rules import Role
from tuner.errors import DataError
from tuner.names import printable

_OWN_FOLDERS = "put each class's images into a folder of its own"
_CARD = "or write a card, whose splits name the parts (datasets/README.md)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Makes the messages about one folder.

    Attributes:
        tree: The folder that was given.
        where: What it is called.
    """

    tree: Folder
    where: str

    def no_class_folders(self, level: Folder) -> DataError:
        """There are only files, or nothing at all."""
        if level.images:
            return self._error(
                f"{_files(len(level.images))} directly in {self._place(level)}, such as"
                f" {_first(level.images)}, but neither folders nor file names say which class"
                " each belongs to",
                f"{_OWN_FOLDERS}; or call the files cat.1.jpg, cat.2.jpg, dog.1.jpg ...",
            )
        return self._no_images(level)

    def _no_images(self, level: Folder) -> DataError:
        closed = [folder for folder in level.walk() if folder.failure]
        if closed:
            return self._error(
                f"{printable(closed[0].below) or 'the folder'} cannot be opened:"
                f" {closed[0].failure}",
                "allow reading it, or name another folder.",
            )
        others = [f"{folder.below}{name}" for folder in level.walk() for name in folder.others]
        archives = [name for name in others if is_archive(Path(name))]
        if archives:
            return self._error(
                f"there are no images, but an archive, {_first(archives)}",
                "name the archive instead of the folder; it is unpacked for you.",
            )
        if others:
            n = f"{len(others):,} files" if len(others) > 1 else "1 file"
            return self._error(
                f"there are no images; it holds {n}, such as {_first(others)}",
                "name the folder with the class folders; of a .csv or .npz, name the file itself.",
            )
        passed = [aside for folder in level.walk() for aside in folder.aside]
        if passed:
            seen = f"there are no images; {passed[0].name} is left out, {passed[0].reason}"
            return self._error(seen, "name the folder with the class folders.")
        if level.folders:
            return self._error(
                f"there are no images; {_shown(level.folders)} {_are(level.folders)} empty",
                f"{_OWN_FOLDERS}.",
            )
        return self._error("the folder is empty", f"{_OWN_FOLDERS} there.")

    def one_class(self, level: Folder, only: Folder) -> DataError:
        """There is one class folder."""
        if is_part(only.name):
            return self._error(
                f"all images lie in {printable(only.below)} ({_files(only.n_images)}), which is"
                " named like a part, but neither folders nor file names say which class each"
                " belongs to",
                f"{_OWN_FOLDERS} there; or name a CSV of file names and labels.",
            )
        rest = [folder for folder in level.folders if folder is not only]
        beside = f"; no image lies in {_shown(rest)}" if rest else ""
        return self._error(
            f'only one class folder holds images, "{printable(only.name)}"'
            f" ({_files(only.n_images)}), and their names tell no classes{beside}",
            "a classifier needs at least two classes; add the others.",
        )

    def several_trains(self, trains: Sequence[Folder]) -> DataError:
        """Two folders are the training part by their names."""
        return self._error(
            f"{_shown(trains)} are all named like training parts",
            f"put what belongs together into one folder; {_CARD}.",
        )

    def two_names(self, role: Role, one: str, other: str) -> DataError:
        """In class folders, a part has two names."""
        return self._error(
            f"the class folders hold {printable(one)}/ and {printable(other)}/, both named like the"
            f" {role} part",
            "give each part one name in all class folders.",
        )

    def parts_in_some(self, with_parts: Folder, without: Folder) -> DataError:
        """Some class folders hold parts, others do not."""
        return self._error(
            f"{printable(with_parts.name)}/ holds parts ({_shown(with_parts.with_images())}), but "
            f"{printable(without.name)}/ does not",
            "arrange all classes alike, such as train/cat, train/dog, test/cat, test/dog.",
        )

    def beside_train(self, train: Folder, others: Sequence[Folder]) -> DataError:
        """A training part lies beside what may be classes, or parts."""
        return self._error(
            f"{printable(train.name)}/ holds class folders, but {_shown(others)} beside it"
            f" {_are(others)} not named like a part",
            f"call it test, or move it elsewhere; {_CARD}.",
        )

    def no_train(self, parts: Sequence[Folder], others: Sequence[Folder]) -> DataError:
        """There are parts, none of which trains."""
        if not others:
            return self._error(
                f"there is no training part beside {_shown(parts)}",
                "call the folder that trains train, or name one part.",
            )
        return self._error(
            f"{_shown(parts)} {_are(parts)} named like a part, but beside {_shown(others)}",
            f"put the class folders that train into a folder train; or move {_shown(parts)}"
            " elsewhere.",
        )

    def unlabelled_parts(self, parts: Sequence[Folder], others: Sequence[Folder]) -> DataError:
        """Parts hold images, and nothing tells their classes."""
        if others:
            return self.no_train(parts, others)
        names = [name for inner in parts[-1].walk() for name in inner.images]
        return self._error(
            f"the images of {_shown(parts)} lie in no class folders, and names such as"
            f" {_first(names)} tell no classes",
            f"{_OWN_FOLDERS} in each part; or name a CSV of file names and labels.",
        )

    def alike(self, folders: Sequence[Folder]) -> DataError:
        """Folders hold the same sub-folders, and are called like no parts."""
        return self._error(
            f"{_shown(folders)} hold the same folders ({_shown(folders[0].with_images())}), so they"
            " look like parts or versions of the data, not classes",
            f"call them train, val and test, or name one of them; {_CARD}.",
        )

    def again(self, folder: Folder, others: Sequence[Folder]) -> DataError:
        """A folder holds the same folders as lie beside it."""
        return self._error(
            f"{printable(folder.name)}/ holds folders that lie beside it as well"
            f" ({_shown(others)})",
            "name the folder that counts, such as"
            f" {self.where}/{printable(folder.below.rstrip('/'))}; or move one elsewhere.",
        )

    def whole_sets(self, folders: Sequence[Folder]) -> DataError:
        """Several folders hold parts with the same classes."""
        return self._error(
            f"{_shown(folders)} each hold parts ({_shown(folders[0].with_images())}) with class"
            " folders, so each looks like a whole data set",
            "name one of them.",
        )

    def masks(self, folder: Folder) -> DataError:
        """Each class folder holds images beside masks or boxes."""
        return self._error(
            "class folders hold images beside what describes them, such as"
            f" {_shown(folder.with_images())} in {printable(folder.name)}/",
            "leave only the images that are to be classified in the class folders.",
        )

    def beside_pictures(self, pictures: Folder, others: Sequence[Folder]) -> DataError:
        """A folder of class folders lies beside others that are no classes of the same kind."""
        return self._error(
            f"{printable(pictures.name)}/ holds folders ({_shown(pictures.with_images())}), and"
            f" beside it lies {_shown(others)}",
            "name the folder that holds the classes, such as"
            f" {self.where}/{printable(pictures.below.rstrip('/'))}.",
        )

    def annotations(self, pictures: Folder) -> DataError:
        """Images beside boxes or masks."""
        return self._error(
            f"{printable(pictures.below)} lies beside annotations, as for detection or"
            " segmentation; nothing states one class for each image",
            f"{_OWN_FOLDERS}.",
        )

    def _error(self, seen: str, hint: str) -> DataError:
        return DataError(f"{self.where}: {seen}", hint)

    def _place(self, level: Folder) -> str:
        return printable(level.below) or "it"


def _files(n: int) -> str:
    return "1 image file" if n == 1 else f"{n:,} image files"


def _first(names: Sequence[str]) -> str:
    return printable(names[0])


def _are(folders: Sequence[Folder]) -> str:
    return "is" if len(folders) == 1 else "are"


def _shown(folders: Sequence[Folder], n: int = 4) -> str:
    names = [f"{printable(folder.name)}/" for folder in folders]
    more = f" and {len(names) - n:,} more" if len(names) > n else ""
    if more or len(names) < 2:
        return ", ".join(names[:n]) + more
    return f"{', '.join(names[:-1])} and {names[-1]}"
