"""The model card: its header for hubs, and what it says of data, weights and limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import yaml

from tests.store.recipes import make_recipe
from tuner.exports.check_record import Outputs, compare
from tuner.exports.formats import FORMATS
from tuner.exports.model_card import Exported, model_card


def exported(**changes: Any) -> Exported:
    found = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    outputs = Outputs(found=found, n_bytes=2_500_000, latency_ms=1.25)
    check = compare(outputs, outputs, np.array([0, 1, 1]), ("c0", "c1"), 24, 0.0)
    whole = Exported(
        wanted=FORMATS["litert"],
        quantize=None,
        input_type="uint8",
        recipe=replace(make_recipe(), title="Tuned"),
        temperature=1.3,
        run="20260131-101500-0a1b2c3d",
        data_title="Tiny things",
        data_source="https://example.org",
        data_licence="CC BY 4.0",
        check=check,
    )
    return replace(whole, **changes)


def test_header_is_yaml_with_the_scores_of_the_file() -> None:
    _, header, _ = model_card(exported()).split("---\n", 2)
    head = yaml.safe_load(header)
    assert head["library_name"] == "tflite"
    assert head["tags"] == ["image-classification", "litert"]
    (entry,) = head["model-index"]
    assert entry["name"] == "Tiny things: Tuned"
    metrics = {one["type"]: one["value"] for one in entry["results"][0]["metrics"]}
    assert metrics == {"accuracy": 0.6667, "f1": 0.6667}


def test_numbers_have_their_intervals_and_how_many_images() -> None:
    card = model_card(exported())
    assert "On 3 sealed test images of 24; intervals are Wilson's, of 95 %." in card
    assert "| accuracy | 66.7 % (20.8 to 93.9) | 66.7 % (20.8 to 93.9) |" in card
    assert "| size | 2.5 MB | 2.5 MB |" in card
    assert "| c1 | 2 | 50.0 % | 100.0 % |" in card


def test_quantization_and_missing_calibration_are_told() -> None:
    card = model_card(exported(quantize="int8", temperature=None))
    assert "as LiteRT in int8" in card
    assert "probabilities come in steps of about 1/256" in card
    assert "Its probabilities are not calibrated" in card
    assert "calibrat" not in model_card(exported()).split("## Limits")[1]


def test_licences_of_data_and_weights() -> None:
    assert "- Data: CC BY 4.0." in model_card(exported())
    assert "- Data: not stated in the data card" in model_card(exported(data_licence=""))
    assert "trained from random weights" in model_card(exported())
    recipe = replace(make_recipe(), weights_digest="0a", values={"weights": "imagenet"})
    assert "began from pretrained weights (imagenet;" in model_card(exported(recipe=recipe))


def test_names_of_others_are_no_markup() -> None:
    spec = replace(make_recipe().image, class_names=("<script>", "a|b"))
    card = model_card(
        exported(recipe=replace(make_recipe(), image=spec), data_title="x\n# <b>[y](z)")
    )
    assert "<script>" not in card
    assert "a\\|b" in card
    assert "\n# <b>" not in card
