"""What the search says before it goes on."""

from __future__ import annotations

from tuner.pipeline.search_stage import missing_text


def test_trials_that_are_missing_from_the_log_are_counted() -> None:
    assert missing_text(1) == (
        "1 trial of trials.csv is missing from state/trials.jsonl; it is trained again"
    )
    assert missing_text(2) == (
        "2 trials of trials.csv are missing from state/trials.jsonl; they are trained again"
    )
