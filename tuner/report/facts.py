"""Facts of a run that several sections speak of, as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from types import MappingProxyType
from typing import Any

from tuner.models.backbones.stages import is_fine_tuned
from tuner.names import is_own
from tuner.records.results import DataSummary, ModelResult, Results
from tuner.records.search_summary import SearchSummary
from tuner.records.trial import Trial
from tuner.report.model_summary import ModelSummary, summarise
from tuner.report.text import as_sentence, plural
from tuner.space.definition import FAMILY, by_name
from tuner.space.vocabulary import (
    BACKBONE_NAMES,
    MAX_CONV_BLOCKS,
    STAGE_TERMS,
    VOCABULARIES,
    batch_terms_on,
    with_all_defaults,
)

# Times that the commonest class may have the images of the rarest before accuracy says little of
# rare classes.
IMBALANCED = 3.0
# Share of test images that were trained on, or nearly so, from which the scores are those of seen
# images.
MANY_COPIES = 0.01
# Share of trials that failed from which on something is wrong with the search.
MANY_FAILED = 0.1
# Training minus validation accuracy: below the first there is no overfitting, from the second on it
# is clear.
SMALL_GAP, LARGE_GAP = 0.03, 0.10
# With these, a training reads every other value of its setting.
_READS_ALL: Mapping[str, Any] = MappingProxyType(
    {
        "optimizer": "sgd",
        "weights": "imagenet",
        "unfreeze_blocks": 1,
        "conv_blocks": MAX_CONV_BLOCKS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantGuess:
    """What a model would score that always names one class.

    Attributes:
        share: Share of the test images that are of the most frequent class.
        winner: The winner's mean test accuracy; None where it has no scores.
        low: Lower end of its 95 % interval; None likewise.
    """

    share: float
    winner: float | None
    low: float | None

    @property
    def is_beaten(self) -> bool:
        """Whether the winner's whole interval is above it."""
        return self.low is not None and self.low > self.share


def winner_of(results: Results) -> ModelSummary | None:
    """The winner's summary; None where it was not retrained and tested."""
    return next((s for s in summarise(results.models) if s.result.name == "tuned"), None)


def recommended_of(results: Results) -> ModelResult | None:
    """The model to use; None where the run recommends none."""
    found = results.recommendation
    names = {model.name: model for model in results.models}
    return names.get(found.model) if found else None


def recipe_option(results: Results, name: str) -> str:
    """What names a model's recipe on a command line: ` --model NAME`.

    Empty where the run itself stands for the model: it is the recommended one, or the run keeps no
    other.
    """
    found = results.recommendation
    return f" --model {name}" if found is not None and found.model != name else ""


def recipe_file(results: Results, name: str) -> str:
    """The file that holds a model's recipe, as seen from the run's folder."""
    return f"models/{name}.yaml" if results.recommendation is not None else "best.yaml"


def constant_guess(results: Results) -> ConstantGuess | None:
    """What always naming the most frequent class would score; None without test images."""
    data, winner = results.data, winner_of(results)
    if not data.n_test:
        return None
    return ConstantGuess(
        share=max(data.test_counts) / data.n_test,
        winner=winner.accuracy if winner else None,
        low=winner.low if winner else None,
    )


def only_class(model: ModelResult) -> str | None:
    """The class that a model's kept training names for every test image.

    None where it names several.
    """
    kept = next((run for run in model.runs if run.is_kept), None)
    return kept.test.only_class if kept else None


def class_ratio(data: DataSummary) -> float:
    """How many times the training images of the rarest class the commonest one has."""
    fewest = min(data.train_counts)
    return max(data.train_counts) / fewest if fewest else float("inf")


def has_many_copies(data: DataSummary) -> bool:
    """Whether too many test images have copies among those that trained or validated."""
    return n_copies(data) > MANY_COPIES * data.n_test


def n_copies(data: DataSummary) -> int:
    """Those test images, as far as they were counted."""
    return (data.n_test_copies or 0) + (data.n_test_near_copies or 0)


def validation_accuracy(results: Results, model: ModelSummary) -> float | None:
    """Validation accuracy of the kept training in its kept epoch; None where it is not known."""
    run = model.kept
    if results.search.objective == "val_accuracy":
        return run.validation_score
    metrics = next((e.metrics for e in run.epochs if e.epoch == run.best_epoch), {})
    return metrics.get("val_accuracy")


def in_block_order(names: Sequence[str]) -> list[str]:
    """Names in their order, but those of blocks together, by number: `filters_0`, `filters_1`."""
    places: dict[str, int] = {}
    keys = {}
    for name in names:
        numbered = re.fullmatch(r"(.+)_(\d{1,6})", name)
        base, number = (numbered[1], int(numbered[2])) if numbered else (name, -1)
        keys[name] = places.setdefault(base, len(places)), number
    return sorted(names, key=keys.__getitem__)


def replaced_by_blocks(values: Mapping[str, Any]) -> list[str]:
    """Names of values that each block replaces with its own: `filters` by `filters_0` and so on."""
    n_blocks = values.get("conv_blocks")
    numbers = range(n_blocks if isinstance(n_blocks, int) and n_blocks > 0 else 1)
    return [name for name in values if all(f"{name}_{number}" in values for number in numbers)]


def without_effect(model: str, values: Mapping[str, Any]) -> list[str]:
    """Names of a setting's values that no training of it reads.

    They are what each block replaces, the momentum of an optimizer without one, and the stages of
    transfer learning where no pretrained block is trained. Of your own builder, whose code is not
    read, only the first are known.

    Args:
        model: The family or builder.
        values: Its hyperparameters; one that is left out has its default.
    """
    whole = with_all_defaults(model, values)
    names = replaced_by_blocks(whole)
    if not is_own(model) and whole["optimizer"] != "sgd":
        names.append("momentum")
    if model in BACKBONE_NAMES and not is_fine_tuned(model, values):
        names += STAGE_TERMS
    return [name for name in names if name in values]


def without_effect_in(trial: Trial, search: SearchSummary) -> list[str]:
    """Names of a trial's values that no training of it reads, as far as the run's files tell.

    A trial states the searched hyperparameters alone. What its space fixes follows from a winner
    of the same space, or family; without one, a value counts as read unless the trial itself says
    otherwise.
    """
    values, best = trial.values, search.best_values
    if trial.trial_id == search.best_trial_id:
        return without_effect(search.winner_model, {**best, **values})
    family = values.get(FAMILY, search.model) if search.families else search.model
    is_winners = family == (search.best_family if search.families else search.model)
    if trial.model is None and is_winners and not search.best_origin:
        searched = by_name(search.of_winner)
        fixed = {name: value for name, value in best.items() if name not in searched}
        return without_effect(search.winner_model, {**fixed, **values})
    return without_effect(trial.model or family, {**_READS_ALL, **values})


def is_cut_off(winner: ModelSummary, objective: str) -> bool:
    """Whether the kept retraining was best in its very last epoch: it may have ended too early.

    Of epochs with the same score the one with the lowest loss is kept. Where the last one only
    repeats a score, such as 100 %, the training has not been improving.
    """
    epochs = winner.kept.epochs
    if not epochs or winner.kept.best_epoch != epochs[-1].epoch:
        return False
    *before, last = (one.metrics.get(objective) for one in epochs)
    return last is None or last not in before


def optimism(results: Results, winner: ModelSummary) -> float:
    """By how much the search's best validation score is better than the kept retraining's.

    Not a number where the latter is not known.
    """
    kept = winner.kept.validation_score
    if kept is None:
        return nan
    difference = results.search.best_score - kept
    return difference if results.search.direction == "max" else -difference


def overfit_gap(winner: ModelSummary, epoch: int | None = None) -> float | None:
    """Training minus validation accuracy of the kept retraining in an epoch, or in the kept one.

    None where either was not recorded, or training images were changed or balanced, so that the gap
    tells nothing.
    """
    run = winner.kept
    metrics = next((e.metrics for e in run.epochs if e.epoch == (epoch or run.best_epoch)), {})
    if (
        changed_batches(winner.result.values)
        or "accuracy" not in metrics
        or "val_accuracy" not in metrics
    ):
        return None
    return metrics["accuracy"] - metrics["val_accuracy"]


def changed_batches(values: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters by which training images are changed or drawn more often."""
    # Class weights change the loss alone.
    return {
        name: values[name] for name in batch_terms_on(values) if values[name] != "class_weights"
    }


def weights_of(model: ModelResult) -> str | None:
    """Initial weights of a backbone: `imagenet`, `none` or a path; None for other models."""
    if model.model not in BACKBONE_NAMES:
        return None
    return str(model.values.get("weights", VOCABULARIES[model.model]["weights"].default))


def once_words(results: Results) -> str:
    """What a single training leaves open, and what the verdicts that rest on one assume."""
    in_verdict = {model.name for model in results.models if model.in_verdict}
    assumed = dict.fromkeys(
        as_sentence(found.reason)
        for found in results.differences
        if found.opponent in in_verdict
        and min(found.n_seeds) == 1
        and found.verdict in ("better", "worse")
        and found.reason
    )
    return " ".join(assumed) or "One training cannot show whether a difference is real or noise."


def trainings_words(model: ModelResult) -> str:
    """A model's trainings in words: `1 of 3 trainings succeeded`, or `trained once`."""
    n, n_all = len(model.runs), len(model.runs) + model.n_failed
    if model.n_failed:
        return f"{n} of {plural(n_all, 'training')} succeeded"
    return "trained once" if n == 1 else f"trained {n} times"
