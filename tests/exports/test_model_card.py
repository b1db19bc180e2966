"""The model card: its header for hubs, and what it says of data, weights and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import yaml

from tests.store.recipes import make_recipe
from tuner.exports.check_record import Outputs, compare
from tuner.exports.formats import FORMATS
from tuner.exports.model_card import Exported, model_card
from tuner.records.combination import Combination, Member


def exported(**changes: Any) -> Exported:
    found = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    outputs = Outputs(found=found, n_bytes=2_500_000, latency_ms=1.25)
    check = compare(outputs, outputs, np.array([0, 1, 1]), ("c0", "c1"), 24, 0.0)
    whole = Exported(
        wanted=FORMATS["litert"],
        quantize=None,
        input_type="uint8",
        recipe=make_recipe(),
        title="Tuned",
        is_other_model=False,
        temperature=1.3,
        run="20260131-101500-0a1b2c3d",
        data_title="Tiny things",
        data_source="https://example.org",
        data_licence="CC BY 4.0",
        is_other_data=False,
        is_sealed=True,
        check=check,
    )
    return replace(whole, **changes)


def member(model: str, values: Mapping[str, Any]) -> Member:
    return Member(
        trial_id="1",
        model=model,
        values=values,
        seed=1,
        epochs=1,
        schedule_epochs=None,
        share=0.5,
        temperature=None,
    )


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
    recipe = replace(make_recipe(), model="efficientnet_lite2", values={"weights": "imagenet"})
    card = model_card(exported(recipe=recipe))
    assert "- Weights: efficientnet_lite2 (ImageNet) began from pretrained weights." in card
    assert "random" not in card


def test_pretrained_weights_of_light_members_are_told() -> None:
    plain = member("cnn", {})
    pretrained = member("efficientnet_lite2", {"weights": "imagenet"})
    recipe = replace(make_recipe(), combination=Combination(members=(plain, pretrained)))
    card = model_card(exported(recipe=recipe))
    assert "(ImageNet) began from pretrained weights." in card
    assert "random" not in card
    recipe = replace(recipe, combination=Combination(members=(plain, plain)))
    assert "trained from random weights" in model_card(exported(recipe=recipe))


def test_weights_of_your_own_builder_are_not_guessed() -> None:
    recipe = replace(make_recipe(), model="net:build", values={})
    card = model_card(exported(recipe=recipe))
    assert "net:build is a builder of your own: ask what weights it begins from." in card
    assert "random" not in card


def test_nothing_is_claimed_of_a_model_that_is_only_a_file() -> None:
    card = model_card(
        exported(title="other.keras", is_other_model=True, temperature=None, quantize="int8")
    )
    assert "# other.keras: Tiny things" in card
    for false in ("sealed", "took no part", "random", "Made by", "48 training", "was fitted"):
        assert false not in card, false
    assert "whether the model was trained on some of them is not known" in card
    assert "Which images the model was trained on is not known: it was given as a file." in card
    assert "measured on images of Tiny things." in card
    assert "- Training data: not known" in card
    assert "- Weights: not known" in card
    assert "no temperature is known" in card


def test_other_data_are_told_from_those_that_trained() -> None:
    card = model_card(exported(is_other_data=True, is_sealed=False, quantize="int8"))
    assert "# Tuned: tiny\n" in card
    for false in ("sealed", "took no part", "24 test images;", "on training images"):
        assert false not in card, false
    assert "On 3 test images of 24;" in card
    assert "They are of Tiny things; whether the model was trained on some of them" in card
    assert "tiny: 48 training and 16 validation images; fingerprint `0123abcd`." in card
    assert "The numbers above were measured on Tiny things as they are now." in card
    assert "measured on images of Tiny things." in card
    assert "Source of Tiny things: https://example.org" in card
    assert "- Training data (tiny): see the card of those data." in card
    assert "- Data of the numbers above (Tiny things): CC BY 4.0." in card


def test_sealed_test_images_are_told_for_the_runs_own_model_and_data() -> None:
    card = model_card(exported(quantize="int8"))
    assert "tiny" not in card.casefold().replace("tiny things", "")
    assert "48 training, 16 validation and 24 test images; fingerprint `0123abcd`." in card
    assert "The test images took no part in training" in card
    assert "measured on training images." in card
    changed = model_card(exported(is_sealed=False))
    assert "sealed" not in changed
    assert "took no part" not in changed


def test_names_of_others_are_no_markup() -> None:
    spec = replace(make_recipe().image, class_names=("<script>", "a|b"))
    card = model_card(
        exported(recipe=replace(make_recipe(), image=spec), data_title="x\n# <b>[y](z)")
    )
    assert "<script>" not in card
    assert "a\\|b" in card
    assert "\n# <b>" not in card
