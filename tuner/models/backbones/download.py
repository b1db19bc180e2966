"""Weights that are downloaded once, into Keras' cache."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import keras

from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.published_weights import DOWNLOADS
from tuner.models.backbones.weights import NoPretrainedWeightsError
from tuner.records.error_text import first_line


def downloaded(name: str) -> Path:
    """The file of the published weights, in Keras' cache; downloaded if it is not there.

    Raises:
        NoPretrainedWeightsError: If it is not there, and cannot be downloaded.
    """
    download = DOWNLOADS[name]
    if download.file.is_file():
        return download.file
    # Keras draws the progress on stdout, where results belong.
    keras.config.disable_interactive_logging()
    try:
        download.file.parent.mkdir(parents=True, exist_ok=True)
        # Keras writes to the file itself: a killed download would leave a part of it.
        with TemporaryDirectory(dir=download.file.parent) as folder:
            made = keras.utils.get_file(
                download.file.name, download.url, cache_dir=folder, cache_subdir=""
            )
            os.replace(made, download.file)
    # Keras wraps every failure of a download in a plain Exception (keras/src/utils/file_utils.py).
    except Exception as error:
        raise NoPretrainedWeightsError(
            f"{BACKBONES[name].title}: its weights are not in Keras' cache and cannot be"
            f" downloaded: {first_line(error)}",
            f"connect to the network once, give the file {download.url} with `weights: PATH`, or"
            " take the model efficientnet_lite2, whose weights come with the installation.",
        ) from error
    return download.file
