"""What the search says before it goes on."""

from __future__ import annotations

from tuner.pipeline.search_stage import missing_text, words_of


def test_trials_that_are_missing_from_the_log_are_counted() -> None:
    assert missing_text(1) == (
        "1 trial of trials.csv is missing from state/trials.jsonl; it is trained again"
    )
    assert missing_text(2) == (
        "2 trials of trials.csv are missing from state/trials.jsonl; they are trained again"
    )


def test_a_search_that_ended_by_itself_says_why() -> None:
    assert words_of("ASHA, 27 epochs at most", "") == "ASHA, 27 epochs at most"
    assert words_of("a method", "no new setting was expected to gain 0.001") == (
        "a method; ended early, as no new setting was expected to gain 0.001"
    )
