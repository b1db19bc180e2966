"""predict.py: the script that goes beside an exported file, and needs its runtime only."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from tuner.exports.formats import Format

NAME = "predict.py"

# Decoding is that of `tuner.data.decoding.decode`, in the same order, without images of more than 8
# bits and the checks of hostile files.
_SCRIPT = Template(
    '''"""Label and probability of photos: python predict.py PHOTO ...

Needs numpy, pillow and $packages; README.md has the line that installs them.
"""

import json
import sys
from pathlib import Path

$imports
from PIL import Image, ImageOps

about = json.loads(Path(__file__).with_name("labels.json").read_text(encoding="utf-8"))
size, grey = (about["input"]["width"], about["input"]["height"]), about["input"]["channels"] == 1
$load
for name in sys.argv[1:]:
    with Image.open(name) as file:
        file.draft(None, (2 * max(size), 2 * max(size)))  # JPEG decodes smaller, and faster
        photo = ImageOps.exif_transpose(file)
    if photo.has_transparency_data:
        below = Image.new("RGBA", photo.size, (*about["input"]["background"], 255))
        photo = Image.alpha_composite(below, photo.convert("RGBA"))
    photo = photo.convert("L" if grey else "RGB").resize(size, Image.LANCZOS, reducing_gap=3.0)
    images = np.asarray(photo, about["input"]["type"]).reshape(1, *about["input"]["shape"][1:])
    $predict
    print(f"{name}: {about['labels'][shares.argmax()]} {shares.max():.4f}")
'''
)

_FILE = 'str(Path(__file__).with_name(about["file"]))'
# Imports in their order, what loads the file, and what gives the probabilities of `images`.
_PARTS: Mapping[str, tuple[str, str, str]] = {
    "keras": (
        "import keras\nimport numpy as np",
        f"model = keras.models.load_model({_FILE}, compile=False)",
        "shares = model.predict(images, verbose=0)[0]",
    ),
    "saved_model": (
        "import numpy as np\nimport tensorflow as tf",
        f"model = tf.saved_model.load({_FILE})",
        "shares = model.serve(images).numpy()[0]",
    ),
    "litert": (
        "import numpy as np\nfrom ai_edge_litert.interpreter import Interpreter",
        f"model = Interpreter(model_path={_FILE})\n"
        "model.allocate_tensors()\n"
        'place, out = model.get_input_details()[0]["index"],'
        ' model.get_output_details()[0]["index"]',
        "model.set_tensor(place, images)\n    model.invoke()\n"
        "    shares = model.get_tensor(out)[0]",
    ),
    "onnx": (
        "import numpy as np\nimport onnxruntime",
        f"model = onnxruntime.InferenceSession({_FILE})",
        'shares = model.run(None, {about["input"]["name"]: images})[0][0]',
    ),
}


def predict_script(wanted: Format) -> str:
    """The text of the script.

    Args:
        wanted: Format of the file that it runs.
    """
    imports, load, predict = _PARTS[wanted.name]
    return _SCRIPT.substitute(
        packages=wanted.runtime_package, imports=imports, load=load, predict=predict
    )
