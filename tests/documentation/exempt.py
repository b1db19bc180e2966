"""What the checks of words leave out, each with its reason.

An entry that is no longer needed fails `test_words.py`: take it out, so that the list only shrinks.
"""

from __future__ import annotations

REPORT = (
    "tuner/report/sections/hyperparameters.py",
    "tuner/report/sections/next_steps/comparison_steps.py",
    "tuner/report/sections/next_steps/rules.py",
    "tuner/report/sections/trust/data_checks.py",
    "tuner/report/sections/verdict.py",
    "tuner/report/templates/sections/hyperparameters.html",
    "tuner/report/templates/sections/model_comparison.html",
    "tuner/report/templates/sections/next_steps.html",
    "tuner/report/templates/sections/recommendation.html",
    "tuner/report/templates/sections/reproduce.html",
    "tuner/report/templates/sections/trade_offs.html",
    "tuner/report/templates/sections/verdict.html",
)
EXEMPT = {
    **dict.fromkeys(REPORT, "to do: replace the words; docs/report.md and report.png quote some"),
}
