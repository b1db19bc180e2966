"""Every number of a report: what `results.json` holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from tuner.records.comparison import Difference
from tuner.records.importance import Importance
from tuner.records.label_issues import LabelIssues
from tuner.records.pictures import ActivationMaps, Gallery
from tuner.records.recommendation import Recommendation
from tuner.records.scores import Estimate, Scores, Temperature
from tuner.records.search_summary import SearchSummary
from tuner.records.training import EpochMetrics
from tuner.space.as_text import AsText

SCHEMA_VERSION = 2

# `tuner.pipeline.presets` says what each means.
PresetName = Literal["quick", "standard", "thorough"]
RunState = Literal["searching", "retraining", "interrupted", "terminated", "complete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Where and how a run was made.

    Attributes:
        run_id: Name of the run's folder.
        folder: The run's folder, as seen from where the run was started.
        state: How far it had come when this was written: `searching`, `retraining`, `interrupted`,
            `terminated` or `complete`. A run that was killed stays in the state it was in.
        preset: `quick`, `standard` or `thorough`.
        seed: The run's one seed.
        started_at: ISO 8601, UTC.
        duration_s: Seconds of the whole run.
        command: The command line that repeats the run.
        versions: Version of each package that matters, by name.
        hardware: What it ran on, and settings that change the last bits, by name.
        recipe: The recipe that was trained, where nothing was searched; else empty.
    """

    run_id: str
    folder: str
    state: RunState
    preset: Annotated[PresetName, AsText]
    seed: int
    started_at: str
    duration_s: float
    command: str
    versions: Mapping[str, str]
    hardware: Mapping[str, str]
    recipe: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether it has ended, so that nothing is left to be done."""
        return self.state == "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """The data of a run.

    Attributes:
        name: Name of the card, or of the folder.
        title: What a report calls it.
        source: Where it comes from, in words.
        fingerprint: Hash of the images, labels and class names.
        height: Pixels.
        width: Pixels.
        channels: 1 or 3.
        class_names: In the order of the class numbers.
        train_counts: Training images per class, of the first fold.
        validation_counts: Validation images per class, the same.
        test_counts: Test images per class.
        split_rule: How the three parts were made, in words.
        limit: `--limit`, where it was given.
        n_unreadable: Images that could not be read.
        unreadable: The first of them, each with its reason.
        n_folds: Times that a trial trains, each on other parts.
        n_dropped_copies: Images left out since they are identical to a test image.
        n_dropped_duplicates: Images left out since they are identical to another one.
        n_dropped_conflicting: Images left out since an identical one is of another class.
        n_test_distinct: Test images that no training or validation image of the given data is
            identical to, each once; None where nobody counted.
        is_official_split: Whether the data gave the test part.
        n_test_copies: Test images of which an identical one trained or validated; None where nobody
            counted.
        n_test_near_copies: Those of which a near-identical one did, but no identical one; None
            likewise.
        n_corrected: Images that have another label than the data give, by `--labels`.
        n_test_corrected: Those of them that test.
    """

    name: str
    title: str
    source: str
    fingerprint: str
    height: int
    width: int
    channels: int
    class_names: tuple[str, ...]
    train_counts: tuple[int, ...]
    validation_counts: tuple[int, ...]
    test_counts: tuple[int, ...]
    split_rule: str
    limit: int | None = None
    n_unreadable: int = 0
    unreadable: tuple[str, ...] = ()
    n_folds: int = 1
    n_dropped_copies: int = 0
    n_dropped_duplicates: int = 0
    n_dropped_conflicting: int = 0
    n_test_distinct: int | None = None
    is_official_split: bool = False
    n_test_copies: int | None = None
    n_test_near_copies: int | None = None
    n_corrected: int = 0
    n_test_corrected: int = 0

    @property
    def n_train(self) -> int:
        """Number of training images."""
        return sum(self.train_counts)

    @property
    def n_validation(self) -> int:
        """Number of validation images."""
        return sum(self.validation_counts)

    @property
    def n_test(self) -> int:
        """Number of test images."""
        return sum(self.test_counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResult:
    """One retraining.

    Attributes:
        seed: Its seed.
        best_epoch: Epoch whose weights were kept.
        epochs: The learning curve; empty in a row made of what others trained.
        duration_s: Seconds.
        validation_score: The objective of the kept weights; None where the validation images
            trained too.
        is_kept: Whether this is the training that validated best, whose model was saved.
        test: Scores on the sealed test set.
        test_distinct: Scores on those images of the given test part, each counted once, that have
            one label and no copy in the given training data; None where that is all of them, or the
            test part was cut here.
    """

    seed: int
    best_epoch: int
    epochs: tuple[EpochMetrics, ...]
    duration_s: float
    validation_score: float | None
    is_kept: bool
    test: Scores
    test_distinct: Scores | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """One model of the comparison.

    Attributes:
        name: `tuned`, or one of the space's `compare`.
        title: What tables call it, such as "EfficientNetB2 (from scratch)".
        note: What a reader must know beside its scores; may be empty.
        in_verdict: Whether the verdict may speak of it.
        model: The family or builder.
        values: Its hyperparameters.
        n_parameters: Parameters, frozen ones included.
        file_size_bytes: Size of the saved model.
        latency_ms: Milliseconds per image, predicted one at a time.
        max_epochs: Ceiling of the retraining.
        runs: One per seed; empty where every retraining failed.
        n_failed: Retrainings that failed.
        error: Why it could not be trained; None otherwise.
        macro_f1: Mean over the seeds, with the interval of a bootstrap over the test images; None
            without scores.
        calibration_error: The same for the expected calibration error.
        breach: The constraint that it breaks, in words, so that it is not recommended; empty where
            it keeps all.
    """

    name: str
    title: str
    note: str
    in_verdict: bool
    model: str
    values: Mapping[str, Any]
    n_parameters: int | None
    file_size_bytes: int | None
    latency_ms: float | None
    max_epochs: int
    runs: tuple[SeedResult, ...]
    n_failed: int = 0
    error: str | None = None
    macro_f1: Estimate | None = None
    calibration_error: Estimate | None = None
    breach: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A whole run, as the report reads it.

    Attributes:
        run: Where and how.
        data: On what.
        search: What was searched and found.
        recommendation: Which of the models to use; None after `--search-only`, where no model could
            be saved, and in files of earlier versions, which kept the winner of the search.
        models: Tuned first, then baseline, then EfficientNetB2; empty after `--search-only`.
        differences: The winner against each other model with scores, in the order of `models`.
        temperature: Temperature scaling of the winner's kept model; None where it was not scored.
        gallery: Test images worth a look; None where the winner was not scored.
        activations: What the winner's first convolutions see; None where there is nothing to show.
        label_issues: Labels of validation and test images that are likely wrong; None where the
            winner was not scored, and in files of earlier versions.
        importance: What mattered in the search; None as long as it has not ended.
        schema_version: Grows when a reader of old files must change.
    """

    # JSON has no NaN: a metric of your own may be one, and must be there when the file is read
    # again.
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"ser_json_inf_nan": "strings"}

    run: RunSummary
    data: DataSummary
    search: SearchSummary
    models: tuple[ModelResult, ...]
    differences: tuple[Difference, ...] = ()
    temperature: Temperature | None = None
    gallery: Gallery | None = None
    activations: ActivationMaps | None = None
    importance: Importance | None = None
    label_issues: LabelIssues | None = None
    recommendation: Recommendation | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def main_difference(self) -> Difference | None:
        """The difference that the verdict is about: the winner against the baseline.

        Without a baseline, it is the first one that the verdict may use.

        None where the baseline could not be trained: another opponent must not stand in for it.
        """
        spoken = [model.name for model in self.models if model.in_verdict]
        about = "baseline" if "baseline" in spoken else next(iter(spoken[1:]), None)
        return next(
            (difference for difference in self.differences if difference.opponent == about), None
        )
