"""What every data format promises."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.samples import make_card, random_images, write_fer, write_folders
from tuner.data.cards.card import Card
from tuner.data.load import load_images
from tuner.errors import DataError


class LoaderContract:
    """A member writes 6 images of two classes in turn, and says what they must become."""

    def write(self, root: Path, seed: int = 0) -> Card:
        """Write the data and return their card."""
        raise NotImplementedError

    def expected(self, seed: int = 0) -> tuple[Any, list[int], tuple[str, ...]]:
        """Images, labels and class names in the order of the loader."""
        raise NotImplementedError

    def test_labels_stand_beside_their_images(self, tmp_path: Path) -> None:
        loaded = load_images(self.write(tmp_path), tmp_path)
        images, labels, class_names = self.expected()
        np.testing.assert_array_equal(loaded.images, images)
        assert loaded.images.dtype == np.uint8
        assert loaded.labels.tolist() == labels
        assert loaded.labels.dtype == np.int64
        assert loaded.class_names == class_names
        assert len(loaded.parts) == len(loaded.origins) == len(labels)
        assert len(set(loaded.origins)) == len(labels)

    def test_second_load_is_equal_and_memory_mapped(self, tmp_path: Path) -> None:
        card = self.write(tmp_path)
        first, second = load_images(card, tmp_path), load_images(card, tmp_path)
        assert isinstance(second.images, np.memmap)
        np.testing.assert_array_equal(first.images, second.images)
        assert second.labels.tolist() == first.labels.tolist()
        assert second.parts.tolist() == first.parts.tolist()
        assert (second.origins, second.class_names) == (first.origins, first.class_names)
        assert (second.unreadable, second.fingerprint) == (first.unreadable, first.fingerprint)

    def test_fingerprint_is_the_same_in_another_folder(self, tmp_path: Path) -> None:
        found = []
        for folder in (tmp_path / "a", tmp_path / "b"):
            folder.mkdir()
            found.append(load_images(self.write(folder), folder).fingerprint)
        assert found[0] == found[1]
        assert len(found[0]) == 64


class FileLoaderContract(LoaderContract):
    """What the formats that read files promise beyond that."""

    def test_changed_source_is_noticed(self, tmp_path: Path) -> None:
        before = load_images(self.write(tmp_path), tmp_path)
        after = load_images(self.write(tmp_path, seed=50), tmp_path)
        assert before.fingerprint != after.fingerprint
        np.testing.assert_array_equal(after.images, self.expected(seed=50)[0])

    def test_missing_data_say_how_to_get_them(self, tmp_path: Path) -> None:
        card = self.write(tmp_path).model_copy(update={"fetch": "ask the author and put it there"})
        empty = tmp_path / "elsewhere"
        with pytest.raises(DataError) as caught:
            load_images(card, empty)
        assert caught.value.message.startswith(
            f"tiny: the data are missing: there is no {empty}{os.sep}"
        )
        hint = (
            "ask the author and put it there; if they are elsewhere, name their root with"
            " --data-dir. To try tuner without them:"
            " `python -m tuner run drawn_faces --preset quick`."
        )
        assert caught.value.hint == hint
        assert caught.value.exit_code == 4


class TestFerCsv(FileLoaderContract):
    def write(self, root: Path, seed: int = 0) -> Card:
        write_fer(root / "fer.csv", [0, 1] * 3, seed=seed)
        return make_card({"type": "fer_csv", "path": "fer.csv"}, class_names=["no", "yes"])

    def expected(self, seed: int = 0) -> tuple[Any, list[int], tuple[str, ...]]:
        return random_images(6, seed=seed), [0, 1] * 3, ("no", "yes")


class TestPixelColumns(FileLoaderContract):
    def write(self, root: Path, seed: int = 0) -> Card:
        names = [f"pixel{i}" for i in range(48)]
        rows = [
            [i % 2, *image.transpose(2, 0, 1).ravel()]
            for i, image in enumerate(random_images(6, 4, 3, seed))
        ]
        text = "\n".join(",".join(map(str, row)) for row in [["kind", *names], *rows])
        (root / "x.csv").write_text(text)
        files = {
            "type": "pixel_columns",
            "path": "x.csv",
            "label_column": "kind",
            "channels_first": True,
        }
        return make_card(files, channels=3, class_names=["no", "yes"])

    def expected(self, seed: int = 0) -> tuple[Any, list[int], tuple[str, ...]]:
        return random_images(6, 4, 3, seed), [0, 1] * 3, ("no", "yes")


class TestFileList(FileLoaderContract):
    def write(self, root: Path, seed: int = 0) -> Card:
        write_folders(root / "photos", {"a": 6}, seed=seed)
        rows = [f"a/{i}.png,{('dog', 'cat')[i % 2]}" for i in range(6)]
        (root / "list.csv").write_text("\n".join(["file,kind", *rows]))
        files = {"type": "file_list", "path": "list.csv", "root": "photos", "file_column": "file"}
        return make_card(files | {"label_column": "kind"}, channels=3)

    def expected(self, seed: int = 0) -> tuple[Any, list[int], tuple[str, ...]]:
        return random_images(6, 4, 3, seed), [1, 0] * 3, ("cat", "dog")


class TestClassFolders(FileLoaderContract):
    def write(self, root: Path, seed: int = 0) -> Card:
        write_folders(root / "photos", {"cat": 3, "dog": 3}, seed=seed)
        return make_card({"type": "class_folders", "path": "photos"}, channels=3)

    def expected(self, seed: int = 0) -> tuple[Any, list[int], tuple[str, ...]]:
        images = np.concatenate([random_images(3, 4, 3, seed), random_images(3, 4, 3, seed + 1)])
        return images, [0, 0, 0, 1, 1, 1], ("cat", "dog")


class TestArrayCsv(FileLoaderContract):
    def write(self, root: Path, seed: int = 0) -> Card:
        for name, images in (
            ("train", random_images(4, 4, 3, seed)),
            ("test", random_images(2, 4, 3, seed + 1)),
        ):
            rows = [",".join(map(str, image.ravel())) for image in images]
            (root / f"{name}.csv").write_text("\n".join(rows) + "\n")
            (root / f"{name}_labels.csv").write_text("0\n1\n" * (len(images) // 2))
        files = {
            "type": "array_csv",
            "train_images": "train.csv",
            "train_labels": "train_labels.csv",
        }
        files |= {"test_images": "test.csv", "test_labels": "test_labels.csv"}
        return make_card(files, channels=3, class_names=["dog", "cat"])

    def expected(self, seed: int = 0) -> tuple[Any, list[int], tuple[str, ...]]:
        images = np.concatenate([random_images(4, 4, 3, seed), random_images(2, 4, 3, seed + 1)])
        return images, [0, 1, 0, 1, 0, 1], ("dog", "cat")


class TestNpz(FileLoaderContract):
    def write(self, root: Path, seed: int = 0) -> Card:
        np.savez(root / "a.npz", x=random_images(6, seed=seed)[..., 0], y=np.array(["b", "a"] * 3))
        return make_card({"type": "npz", "path": "a.npz"})

    def expected(self, seed: int = 0) -> tuple[Any, list[int], tuple[str, ...]]:
        return random_images(6, seed=seed), [1, 0] * 3, ("a", "b")


class TestGenerator(LoaderContract):
    def write(self, root: Path, seed: int = 0) -> Card:
        names = [str(digit) for digit in range(10)]
        return make_card({"type": "generator", "generator": "digits"}, size=8, class_names=names)

    def expected(self, seed: int = 0) -> tuple[Any, list[int], tuple[str, ...]]:
        from sklearn.datasets import load_digits

        bunch = load_digits()
        images = np.rint(bunch.images / 16 * 255).astype(np.uint8)[..., np.newaxis]
        return images, bunch.target.tolist(), tuple("0123456789")
