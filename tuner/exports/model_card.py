"""README.md of an exported model: a model card in the form that model hubs read.

Source of its parts: Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tuner.exports.check_record import ExportCheck, Measured
from tuner.exports.formats import Format, InputType, Quantization
from tuner.metrics.score_text import decimal, percent
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.registry import complete
from tuner.names import first_of, is_own, one_line
from tuner.records.scores import Scores
from tuner.records.sealed_recipe import Recipe
from tuner.report.text import file_size, plural

NAME = "README.md"
# Rows of the table of classes; a data set may have thousands.
_MOST_CLASSES = 30
# What hubs call the runtimes.
_LIBRARIES = {
    "keras": "keras",
    "saved_model": "tensorflow",
    "litert": "tflite",
    "onnx": "onnx",
}
_CELL = str.maketrans({"|": "\\|", "<": "&lt;", ">": "&gt;", "`": "\\`", "[": "\\[", "*": "\\*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What a card tells of.

    Attributes:
        wanted: The format.
        quantize: Numbers that it computes with; None for float32.
        input_type: Of its images.
        recipe: Of the model, or of the run whose images another model takes.
        title: What the model is called.
        is_other_model: Whether it is a file of `--model`, of whose training nothing is known.
        temperature: What its logits are divided by; None where they are not.
        run: Name of the run's folder.
        data_title: What the data that checked it are called.
        data_source: Where they come from; may be empty.
        data_licence: Under which terms; may be empty.
        is_other_data: Whether they are data of `--data`, not the recipe's.
        is_sealed: Whether the images that checked it are the run's sealed test images.
        check: How it compares with its original.
    """

    wanted: Format
    quantize: Quantization | None
    input_type: InputType
    recipe: Recipe
    title: str
    is_other_model: bool
    temperature: float | None
    run: str
    data_title: str
    data_source: str
    data_licence: str
    is_other_data: bool
    is_sealed: bool
    check: ExportCheck

    @property
    def is_unseen(self) -> bool:
        """Whether it is known that the model was not trained on the images that checked it."""
        return self.is_sealed and not self.is_other_model

    @property
    def data_of_run(self) -> str:
        """What the run's data are called, whose classes the model tells apart."""
        # The name of your own data is their path.
        return Path(self.recipe.data.name).name if self.is_other_data else self.data_title


def model_card(exported: Exported) -> str:
    """The card, as Markdown with a YAML header."""
    head = yaml.safe_dump(_header(exported), sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{head}---\n\n" + "\n".join(_lines(exported)) + "\n"


def _header(exported: Exported) -> dict[str, Any]:
    wanted = exported.wanted
    name = f"{exported.data_of_run}: {exported.title}"
    metrics = [
        {"type": kind, "name": kind.replace("_", " "), "value": round(value, 4)}
        for kind, value in _header_metrics(exported.check.exported.scores)
    ]
    return {
        "library_name": _LIBRARIES[wanted.name],
        "pipeline_tag": "image-classification",
        # Terms of data and weights follow below; only you can grant a licence.
        "license": "other",
        "license_name": "see-below",
        "tags": ["image-classification", wanted.name, *filter(None, [exported.quantize])],
        "metrics": [metric["type"] for metric in metrics],
        "model-index": [
            {
                "name": one_line(name),
                "results": [
                    {
                        "task": {"type": "image-classification"},
                        "dataset": {"name": one_line(exported.data_title), "type": "other"},
                        "metrics": metrics,
                    }
                ],
            }
        ],
    }


def _header_metrics(scores: Scores | None) -> Iterator[tuple[str, float]]:
    if scores is not None:
        yield "accuracy", scores.accuracy
        yield "f1", scores.macro_f1


def _lines(exported: Exported) -> Iterator[str]:
    yield f"# {_text(exported.title)}: {_text(exported.data_of_run)}"
    yield ""
    yield from _what_it_is(exported)
    yield from ["", "## Use", ""]
    yield from _use(exported)
    yield from ["", "## Intended use", ""]
    yield from _intended(exported)
    yield from ["", "## Numbers", ""]
    yield from _numbers(exported)
    yield from ["", "## Data", ""]
    yield from _data(exported)
    yield from ["", "## Limits", ""]
    yield from _limits(exported)
    yield from ["", "## Licences", ""]
    yield from _licences(exported)


def _what_it_is(exported: Exported) -> Iterator[str]:
    spec, wanted = exported.recipe.image, exported.wanted
    numbers = f" in {exported.quantize}" if exported.quantize else ""
    yield (
        f"An image classifier as {wanted.title}{numbers} (`{wanted.file}`), for {wanted.use}. It"
        f" takes {exported.input_type} images of 0-255, (n, {spec.height}, {spec.width},"
        f" {spec.channels}), and gives probabilities, (n, {spec.n_classes}). Scaling of the pixels"
        f" is inside{', and so is calibration' if exported.temperature else ''}."
    )


def _use(exported: Exported) -> Iterator[str]:
    yield "```"
    yield f"python -m pip install numpy pillow {exported.wanted.runtime_package}"
    yield "python predict.py photo.jpg"
    yield "```"
    yield ""
    yield "`labels.json` holds the labels in the order of the probabilities, and the input's size."


def _intended(exported: Exported) -> Iterator[str]:
    names = exported.recipe.image.class_names
    shown = first_of([_text(name) for name in names], _MOST_CLASSES)
    yield (
        f"To tell {plural(len(names), 'class', 'classes')} apart: {shown}. The images should"
        " be like those that it was trained on: the same kind of camera, subject and framing. Every"
        " image gets one of these labels, whatever it shows."
    )


def _numbers(exported: Exported) -> Iterator[str]:
    check = exported.check
    of = "" if check.n == check.n_test else f" of {check.n_test:,}"
    kind = "sealed test image" if exported.is_unseen else "test image"
    yield f"On {plural(check.n, kind)}{of}; intervals are Wilson's, of 95 %."
    if not exported.is_unseen:
        yield (
            f"They are of {_text(exported.data_title)}; whether the model was trained on some of"
            " them is not known."
        )
    yield ""
    yield "| | this file | the original |"
    yield "| --- | --- | --- |"
    both = (check.exported, check.original)
    for title, value in (
        ("accuracy", accuracy_words),
        ("macro F1", lambda one: _score(one, "macro_f1")),
        ("expected calibration error", lambda one: _score(one, "calibration_error")),
        ("size", lambda one: file_size(one.n_bytes)),
        ("one image", lambda one: f"{one.latency_ms:.2f} ms"),
    ):
        yield f"| {title} | {' | '.join(value(one) for one in both)} |"
    yield ""
    yield (
        f"Both give the same label to {check.n_equal:,} of {check.n:,} images; a probability"
        f" differs by at most {check.max_difference:.2g}."
    )
    if check.exported.scores is not None:
        yield ""
        yield from _classes(check.exported.scores)


def _classes(scores: Scores) -> Iterator[str]:
    yield "| class | test images | recall | precision |"
    yield "| --- | --- | --- | --- |"
    for one in scores.per_class[:_MOST_CLASSES]:
        shares = f"{percent(one.recall)} | {percent(one.precision)}"
        yield f"| {_text(one.name)} | {one.n:,} | {shares} |"
    if len(scores.per_class) > _MOST_CLASSES:
        yield f"| {len(scores.per_class) - _MOST_CLASSES:,} more in export.json | | | |"


def _data(exported: Exported) -> Iterator[str]:
    data = exported.recipe.data
    if exported.is_other_model:
        yield "Which images the model was trained on is not known: it was given as a file."
    else:
        test = f" and {data.n_test:,} test images" if exported.is_unseen else " images"
        between = ", " if exported.is_unseen else " and "
        yield (
            f"{_text(exported.data_of_run)}: {data.n_train:,} training{between}"
            f"{data.n_validation:,} validation{test}; fingerprint `{data.fingerprint[:12]}`."
        )
    if exported.is_unseen:
        yield (
            "The test images took no part in training, in the choice of the model, or in the"
            " calibration."
        )
    else:
        yield f"The numbers above were measured on {_text(exported.data_title)} as they are now."
    if exported.data_source:
        yield ""
        of = f" of {_text(exported.data_title)}" if exported.is_other_data else ""
        yield f"Source{of}: {_text(exported.data_source)}"


def _limits(exported: Exported) -> Iterator[str]:
    yield (
        "- The intervals account for chance in the test images. They hold for images of the same"
        " kind, not for other cameras, places or people."
    )
    yield "- It was not tested for fairness among groups of people, or against attacks."
    yield "- `predict.py` reads 8-bit photos; images of more bits need the range of the recipe."
    if exported.quantize == "int8":
        # Of other data the training part has trained nothing.
        own = exported.is_unseen
        images = "training images" if own else f"images of {_text(exported.data_title)}"
        yield (
            "- int8: probabilities come in steps of about 1/256, and the ranges of values were"
            f" measured on {images}."
        )
    if exported.temperature is None:
        known = "is known" if exported.is_other_model else "was fitted"
        yield f"- Its probabilities are not calibrated: no temperature {known}."


def _licences(exported: Exported) -> Iterator[str]:
    licence = _text(exported.data_licence) or "not stated in the data card; ask where they are from"
    if exported.is_other_model:
        yield "- Training data: not known; ask where the model is from."
    elif exported.is_other_data:
        yield f"- Training data ({_text(exported.data_of_run)}): see the card of those data."
    if exported.is_other_model or exported.is_other_data:
        yield f"- Data of the numbers above ({_text(exported.data_title)}): {licence}."
    else:
        yield f"- Data: {licence}."
    yield f"- Weights: {_weights(exported)}"
    yield "- You choose the licence of this model, within these."
    yield ""
    if exported.is_other_model:
        yield f"Exported with the images and classes of the run {_code(exported.run)}."
    else:
        made = ", ".join(f"{name} {version}" for name, version in exported.recipe.versions.items())
        yield f"Made by the run {_code(exported.run)} ({_text(made)})."


def _weights(exported: Exported) -> str:
    """What the training began from."""
    if exported.is_other_model:
        return "not known; ask where the model is from."
    networks = _networks(exported.recipe)
    own = _each_once(model for model, _ in networks if is_own(model))
    pretrained = _each_once(
        f"{model} ({_origin(model, values['weights'])})"
        for model, values in networks
        if _is_pretrained(model, values)
    )
    sentences = []
    if own:
        sentences.append(f"{own} is a builder of your own: ask what weights it begins from.")
    if pretrained:
        sentences.append(
            f"{pretrained} began from pretrained weights. Those of Keras, EfficientNet-Lite and"
            " DINOv2 are under Apache-2.0. ImageNet's images are for research and teaching that is"
            " not commercial; whether that binds weights is not settled."
        )
    return " ".join(sentences) or "trained from random weights, on these data alone."


def _networks(recipe: Recipe) -> list[tuple[str, Mapping[str, Any]]]:
    """Every network that is inside, with its complete values."""
    members = recipe.combination.members if recipe.combination else ()
    parts = [(one.model, one.values) for one in members] or [(recipe.model, recipe.values)]
    return [(model, complete(model, values)) for model, values in parts]


def _origin(model: str, weights: str) -> str:
    return BACKBONES[model].pretrained_on if weights == "imagenet" else weights


def _is_pretrained(model: str, values: Mapping[str, Any]) -> bool:
    return model in BACKBONES and values["weights"] != "none"


def _each_once(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(map(_text, texts)))


def accuracy_words(one: Measured) -> str:
    """Accuracy with its interval."""
    if one.scores is None:
        return "no probabilities"
    low, high = 100 * one.scores.accuracy_low, 100 * one.scores.accuracy_high
    return f"{percent(one.scores.accuracy)} ({low:.1f} to {high:.1f})"


def _score(one: Measured, name: str) -> str:
    return "-" if one.scores is None else decimal(getattr(one.scores, name), 3)


def _code(text: str) -> str:
    return f"`{text.replace('`', '')}`"


def _text(text: str) -> str:
    """Text that others chose, as Markdown shows it and no more."""
    return one_line(text).translate(_CELL)
