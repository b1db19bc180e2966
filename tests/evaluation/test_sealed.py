"""Nobody sees a test label before the seal is broken."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np

import tuner
from tests.images import tiny_dataset
from tuner.commands.outputs import training_data
from tuner.data.dataset import HIDDEN_LABEL
from tuner.evaluation.sealed import open_test

# The split is made and written down there, and told apart from another run's; nothing is scored.
MAKE_OR_NAME_IT = {"data/dataset.py", "data/split.py", "commands/open_run.py", "commands/train.py"}


def test_what_trains_and_searches_is_given_no_test_label(tmp_path: Path) -> None:
    dataset = tiny_dataset()
    labels = training_data(dataset, tmp_path).labels
    hidden = labels == HIDDEN_LABEL
    assert np.flatnonzero(hidden).tolist() == dataset.split.test.tolist()
    np.testing.assert_array_equal(labels[~hidden], dataset.images.labels[~hidden])


def test_opened_test_images_have_their_labels_back() -> None:
    dataset = tiny_dataset()
    test = open_test(dataset)
    np.testing.assert_array_equal(test.labels, dataset.images.labels[64:])
    assert (len(test.rows), len(test.origins), test.is_new) == (24, 24, None)


def readers(attribute: str) -> set[str]:
    """Modules of the package that read an attribute of this name from something called a split."""
    root = Path(tuner.__file__).parent
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == attribute and "split" in ast.unparse(node.value)
    }


def test_only_the_seal_reads_which_images_test() -> None:
    assert readers("test") - MAKE_OR_NAME_IT == {"evaluation/sealed.py"}


def test_only_the_comparison_breaks_the_seal_and_only_once() -> None:
    root = Path(tuner.__file__).parent
    calls = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("open_test")
    ]
    assert calls == ["commands/comparison.py"]
