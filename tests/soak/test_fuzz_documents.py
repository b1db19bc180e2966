"""A sample of the hostile documents; `make soak` gives the readers all 900."""

from __future__ import annotations

import random

import pytest

from tests.soak import documents
from tests.soak.fuzz_documents import give

# Those made by hand that take a moment each; tests/space/documents/test_bounds.py has the others in
# their own form.
_SLOW_LETTERS = 100_000


@pytest.mark.parametrize("number", range(30))
def test_mutated_document_is_read_or_refused_with_its_place(
    number: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    give(documents.mutated(random.Random(f"ci-{number}")), tmp_path_factory.mktemp("case"))


def test_documents_made_by_hand_are_refused_with_their_place(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    made = [case for case in documents.specials() if len(case.content) < _SLOW_LETTERS]
    assert len(made) > 60
    for case in made[::3]:
        give(case, tmp_path_factory.mktemp("case"))
