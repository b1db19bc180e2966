"""The comparison of a run: winner, baseline and EfficientNetB2, retrained under the same rules, then scored once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tuner.commands.extra_rows import choose_rows
from tuner.commands.job import Job
from tuner.commands.options import PRESETS, RunOptions
from tuner.commands.outputs import training_data
from tuner.execution.executor import Executor
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.models.backbones.catalog import BACKBONES
from tuner.records.contender import Contender, Trained
from tuner.records.events import Notice, StageStarted
from tuner.records.image import ImageSpec
from tuner.records.results import ModelResult, SearchSummary
from tuner.retrain.contenders import BACKBONE_SIZE, baselines, tuned_contender
from tuner.retrain.opponents import BackboneRules, backbone_opponents
from tuner.space.definition import SearchSpaceFile

LOG = logging.getLogger("tuner")

Comparison = list[tuple[Contender, list[Trained]]]


def retrain_all(job: Job, searched: SearchSummary, executor: Executor) -> Comparison | None:
    """Retrain all models of the comparison, side by side.

    Returns:
        Each model with its trainings, the winner first; None where somebody asked for the end before all were trained.
    """
    from tuner.retrain.retrain import RetrainOrder, retrain

    order = RetrainOrder(
        seeds=[task_seed(job.options.seed, RETRAININGS, number) for number in range(job.file.retrain.seeds)],
        checkpoints=job.folder.state,
        deadline=job.deadline,
    )
    contenders = list(_contenders(job, searched))
    trained = retrain(
        contenders,
        training_data(job.dataset, job.options.data_dir, job.folder.features),
        order,
        executor,
        job.tell,
        job.request,
    )
    return None if job.request.is_made() else list(zip(contenders, trained, strict=True))


def score(job: Job, trained: Sequence[tuple[Contender, list[Trained]]]) -> list[ModelResult]:
    """Score all models on the test set, now that every choice has been made."""
    from tuner.evaluation.evaluate import evaluate

    extra = choose_rows(job, *trained[0])
    job.tell(StageStarted(title="Scoring on the test set"))
    results: list[ModelResult] = []
    predicted: dict[str, np.ndarray] = {}
    for contender, trainings in trained:
        save_to = job.folder.model if contender.name == "tuned" else job.folder.state / f"{contender.name}.keras"
        result, probabilities = evaluate(contender, trainings, job.dataset, save_to)
        results.append(result)
        predicted |= probabilities
    for row in extra:
        result, probabilities = row.score(job.dataset, results[0])
        results.append(result)
        predicted |= probabilities
    job.folder.write_predictions(job.dataset.images.labels[job.dataset.split.test], predicted)
    return results


def _contenders(job: Job, searched: SearchSummary) -> Iterator[Contender]:
    """The winner and its opponents."""
    file = job.file
    schedule = PRESETS[job.options.preset].schedule
    yield (tuned := tuned_contender(file, searched.best_values, schedule))
    rules = replace(tuned, schedule=schedule)
    if job.card.baseline:
        yield from baselines(rules, job.card.baseline, file.compare)
    elif {"baseline", "baseline_published"} & set(file.compare):
        job.tell(Notice(text="this data set has no card that states a baseline, so none is compared"))
    names = [name for name in file.compare if name in BACKBONES]
    if names:
        job.tell(StageStarted(title="Looking for pretrained weights"))
    how = backbone_rules(job.options, file, job.dataset.spec)
    yield from backbone_opponents(rules, names, how, missing_weights, lambda text: job.tell(Notice(text=text)))


def backbone_rules(options: RunOptions, file: SearchSpaceFile, spec: ImageSpec) -> BackboneRules:
    """How a run trains backbones for the comparison."""
    preset = PRESETS[options.preset]
    size = min(max(spec.height, spec.width, preset.min_backbone_size), BACKBONE_SIZE)
    return BackboneRules(stated=file.backbone, scratch=preset.from_scratch, input_size=size)


def missing_weights(contender: Contender) -> str | None:
    """Why a backbone's weights cannot be had, in one line; downloads them where it must."""
    from tuner.models.backbones.network import build_network
    from tuner.models.backbones.weights import NoPretrainedWeightsError

    try:
        build_network(BACKBONES[contender.model], contender.values)
    except NoPretrainedWeightsError as error:
        LOG.warning("%s: %s %s", contender.title, error.message, error.hint)
        # The notice begins with the name already.
        return error.message.removeprefix(f"{BACKBONES[contender.model].title}: ")
    return None
