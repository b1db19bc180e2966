"""Part of "Errors": each model's calibration, before and after temperature scaling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from tuner.metrics.score_text import decimal, percent
from tuner.records.results import Results
from tuner.records.scores import CalibrationBin, Temperature
from tuner.report.charts.figures import Chart, Key, draw
from tuner.report.charts.model_styles import style_of
from tuner.report.charts.svg import GRID
from tuner.report.model_summary import ModelSummary, summarise
from tuner.report.reported_run import ReportedRun
from tuner.report.text import plural
from tuner.space.vocabulary import BACKBONE_NAMES

# Share of the test images below which a range has a small mark.
FEW = 0.05
# Temperatures nearer to 1 change no number that is shown.
NO_CHANGE = 0.01
# Other rows are made of the winner's models, and would only crowd the chart.
_DRAWN = ("tuned", "baseline", *BACKBONE_NAMES)
_TEMPERED_DASH = ":"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """A model's reliability diagram, of its kept seed.

    Attributes:
        summary: The model.
        is_tempered: Whether this is the winner after temperature scaling.
        error: Expected calibration error.
        bins: Ranges of confidence that hold images, in order.
    """

    summary: ModelSummary
    is_tempered: bool
    error: float
    bins: tuple[CalibrationBin, ...]

    @property
    def is_drawn(self) -> bool:
        """Whether the chart has it, and not the table alone."""
        return self.summary.result.name in _DRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The whole part.

    Attributes:
        n: Test images.
        diagrams: One per model with scores, then the winner's after temperature scaling, if that
            changes anything.
        scaling: What temperature scaling did, in words; empty where it was not fitted.
    """

    n: int
    diagrams: tuple[Reliability, ...]
    scaling: str

    @property
    def has_seeds(self) -> bool:
        """Whether a model was trained more than once."""
        return any(len(one.summary.result.runs) > 1 for one in self.diagrams)


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None where no model was tested."""
    found = compute(reported.results)
    if not found.diagrams:
        return None
    return {"calibration": found, "figure": draw_reliability(found.diagrams)}


def compute(results: Results) -> Calibration:
    """Reliability and calibration error of each model with scores."""
    summaries, temperature = summarise(results.models), results.temperature
    diagrams = [
        Reliability(
            summary=s,
            is_tempered=False,
            error=s.kept.test.calibration_error,
            bins=s.kept.test.calibration,
        )
        for s in summaries
    ]
    winner = next((s for s in summaries if s.result.name == "tuned"), None)
    if temperature and winner and not _changes_nothing(temperature):
        error = temperature.test_calibration_error[1]
        diagrams.append(
            Reliability(summary=winner, is_tempered=True, error=error, bins=temperature.calibration)
        )
    return Calibration(
        n=summaries[0].n if summaries else 0,
        diagrams=tuple(diagrams),
        scaling=scaling_words(temperature) if temperature else "",
    )


def _changes_nothing(temperature: Temperature) -> bool:
    """Whether the scaled probabilities are those of the model, as far as the page shows them."""
    return abs(temperature.value - 1) < NO_CHANGE


def scaling_words(temperature: Temperature) -> str:
    """What temperature scaling did on the test set, worse or better."""
    if _changes_nothing(temperature):
        return f"Temperature scaling changes nothing (T = {decimal(temperature.value, 2)})."
    fitted = temperature.validation_log_loss
    # As they are shown: what rounds to the same number has not changed for the reader.
    error = tuple(round(100 * share, 1) / 100 for share in temperature.test_calibration_error)
    loss = tuple(round(one, 3) for one in temperature.test_log_loss)
    return (
        f"Temperature scaling divides the winner's logits by T = {decimal(temperature.value, 2)},"
        f" fitted on {plural(temperature.n, 'validation image')} (log loss there"
        f" {decimal(fitted[0])} before, {decimal(fitted[1])} after). On the test set, the kept"
        " model's"
        f" calibration error {_change(error, percent)}, and its log loss {_change(loss, decimal)}."
        f" {_advice(error, loss)} Predicted classes stay the same."
    )


def _change(pair: Sequence[float], write: Callable[[float], str]) -> str:
    if pair[1] == pair[0]:
        return f"stays at {write(pair[0])}"
    return f"{'falls' if pair[1] < pair[0] else 'rises'} from {write(pair[0])} to {write(pair[1])}"


def _advice(error: Sequence[float], loss: Sequence[float]) -> str:
    if error[1] < error[0] and loss[1] < loss[0]:
        return "Both improve."
    if error[1] > error[0] and loss[1] > loss[0]:
        return "Both get worse: the temperature does not transfer to the test images."
    return "This is not a clear gain."


def draw_reliability(diagrams: Sequence[Reliability]) -> Chart:
    """Share of correct predictions against confidence; a small mark stands for few images."""
    drawn = [one for one in diagrams if one.is_drawn]

    def paint(axes: Axes) -> None:
        axes.plot([0, 100], [0, 100], color=GRID, linewidth=1)
        for one in drawn:
            style = style_of(one.summary.result.name)
            dash = _TEMPERED_DASH if one.is_tempered else style.dash
            line = [100 * b.confidence for b in one.bins], [100 * b.accuracy for b in one.bins]
            axes.plot(*line, linestyle=dash, color=style.colour, linewidth=1.2)
            fill = "none" if one.is_tempered else "full"
            for size, bins in _by_weight(one):
                x, y = [100 * b.confidence for b in bins], [100 * b.accuracy for b in bins]
                axes.plot(
                    x,
                    y,
                    style.marker,
                    color=style.colour,
                    fillstyle=fill,
                    markersize=size,
                    clip_on=False,
                )
        axes.set_xlim(0, 102)
        axes.set_ylim(-2, 102)
        axes.set_xlabel("Confidence, %")
        axes.set_ylabel("Correct predictions, %")

    return draw(
        "fig-reliability",
        "Reliability diagram",
        "Share of correct test predictions against their mean confidence, in ranges of confidence,"
        " for each kept model. On the diagonal, confidence equals accuracy; below it, the model is"
        " overconfident.",
        paint,
        size=(4.4, 3.3),
        legend=[_key(one) for one in drawn],
    )


def _key(one: Reliability) -> Key:
    style, title = style_of(one.summary.result.name), one.summary.result.title
    return Key(
        text=f"{title}, calibrated" if one.is_tempered else title,
        colour=style.colour,
        marker=style.marker,
        dash=_TEMPERED_DASH if one.is_tempered else style.dash,
        is_hollow=one.is_tempered,
    )


def _by_weight(one: Reliability) -> Iterator[tuple[float, list[CalibrationBin]]]:
    """Size of the mark, in points, and the ranges that have it."""
    for is_heavy, size in ((False, 3.0), (True, 6.5)):
        yield size, [b for b in one.bins if (b.n >= FEW * one.summary.n) == is_heavy]
