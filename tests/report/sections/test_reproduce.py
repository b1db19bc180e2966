"""What repeats a run."""

from __future__ import annotations

from dataclasses import replace

from tests.report.fixtures import results
from tuner.report.sections import reproduce


def test_search_is_described_in_the_words_of_its_method() -> None:
    words = "Hyperband, 27 epochs at most, factor 3, 1 iteration"
    assert reproduce.search_words(replace(results().search, method_words=words)) == words


def test_search_of_an_earlier_version_is_described_by_its_name_and_epochs() -> None:
    found = reproduce.search_words(replace(results().search, method_words=""))
    assert found == "hyperband, 27 epochs at most"


def test_reproduction_hides_the_folders_of_the_machine() -> None:
    run = results()
    found = reproduce.compute(
        replace(
            run, run=replace(run.run, command="python -m tuner run faces --data-dir /home/ann/x")
        )
    )
    assert found.command == "python -m tuner run faces --data-dir …/x"
    assert found.folders_hidden
