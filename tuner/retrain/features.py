"""A frozen network's features in the place of images: computed once, however many epochs a head is trained on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tuner.backend.active import predictor
from tuner.models.efficientnet import N_FEATURES, build_extractor
from tuner.training.data import TrainingData
from tuner.training.fit import predict


def with_features(data: TrainingData, values: Mapping[str, Any]) -> TrainingData:
    """Replace images by EfficientNetB2's ImageNet features (n, 1408).

    Only rows that train or validate are computed; a test image's row stays empty.

    Raises:
        NoPretrainedWeightsError: If the weights are not at hand.
    """
    extract = predictor(build_extractor(values, data.spec))
    seen = np.concatenate([data.train, data.validation])
    features = np.zeros((len(data.inputs), N_FEATURES), dtype="float32")
    features[seen] = predict(extract, data.inputs, seen)
    return replace(data, inputs=features)
