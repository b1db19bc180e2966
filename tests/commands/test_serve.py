"""`serve`: a real run behind HTTP, as a process and as a model in this one."""

from __future__ import annotations

import http.client
import json
import signal
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.cli.calling import HOSTILE_CLASSES, call
from tests.commands.finished import Finished
from tests.commands.serving import TOKEN, post, serving
from tests.serving.running import until
from tuner.commands.serve import the_proxy, the_token, warnings_of
from tuner.errors import ConfigurationError
from tuner.production.recipe_model import named_model
from tuner.serving.options import ServeOptions
from tuner.serving.run_model import RunModel, filled_sizes
from tuner.store.recipe_file import read_recipe, write_recipe


@pytest.fixture
def images(finished: Finished) -> list[Path]:
    return [finished.place / "my photos" / name / "03.png" for name in HOSTILE_CLASSES]


@pytest.mark.parametrize("calibrated", [False, True])
def test_probabilities_are_those_of_predict(
    finished: Finished, images: list[Path], calibrated: bool
) -> None:
    option = ["--calibrated"] if calibrated else []
    shown = call("predict", finished.folder, *images, "--json", *option, cwd=finished.place)
    model = RunModel(named_model(finished.path, None), calibrated=calibrated, n_threads=1)
    from tuner.production.decoded_images import decoded_image
    from tuner.production.named_images import NamedImage

    pixels = [
        decoded_image(NamedImage(name=str(path)), model.facts.settings).pixels for path in images
    ]
    found = model.probabilities(np.stack(pixels))
    expected = [list(record["probabilities"].values()) for record in shown.records]
    assert found == pytest.approx(np.array(expected), abs=1e-7)
    assert model.facts.class_names == tuple(shown.records[0]["probabilities"])
    assert model.facts.is_calibrated is calibrated
    picture = model.saliency(pixels[0], 0)
    assert picture is not None
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(("most", "sizes"), [(1, [1]), (2, [1, 2]), (5, [1, 2, 4, 8])])
def test_passes_are_filled_up_to_few_sizes(most: int, sizes: list[int]) -> None:
    assert filled_sizes(most) == sizes


def test_a_pass_that_is_filled_up_gives_the_same(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = RunModel(named_model(finished.path, None), calibrated=False, n_threads=1)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(5, *model.facts.settings.shape), dtype=np.uint8)
    expected = model.probabilities(images)
    # As where Keras runs on JAX.
    monkeypatch.setattr(model, "_fits_any_number", False)
    assert model.probabilities(images) == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_after_what_runs(
    finished: Finished, images: list[Path], number: signal.Signals
) -> None:
    shown = call("predict", finished.folder, images[0], "--json", cwd=finished.place)
    content = images[0].read_bytes()
    with serving(finished, finished.folder) as (process, address):
        assert urlsplit(address).hostname == "127.0.0.1"
        status, answer = post(address, content)
        # Half of a request is there when the signal comes; the service waits for the rest.
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        connection.putrequest("POST", "/predict")
        connection.putheader("Authorization", f"Bearer {TOKEN}")
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content[:10])
        # Once this is answered, the half before it has been read.
        assert post(address, content)[0] == 200
        process.send_signal(number)
        connection.send(content[10:])
        late = connection.getresponse()
        assert (late.status, json.loads(late.read())) == (200, answer)
        connection.close()
        _, err = process.communicate(timeout=60)
    assert status == 200
    (found,) = answer["predictions"]  # type: ignore[misc]
    (record,) = shown.records
    assert found["class"] == record["class"]
    assert found["probabilities"] == pytest.approx(record["probabilities"], abs=1e-7)
    assert process.returncode == 0
    assert err == f"model: Tuned, {finished.folder}/model.keras\nStopped.\n"


def metrics(address: str) -> str:
    """What /metrics says."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    numbers = connection.getresponse().read().decode()
    connection.close()
    return numbers


@pytest.mark.slow
def test_workers_share_a_port_and_their_numbers(finished: Finished, images: list[Path]) -> None:
    content = images[0].read_bytes()
    with serving(finished, finished.folder, "--workers", "2") as (process, address):
        for _ in range(20):
            assert post(address, content)[0] == 200
        # A request counts once its answer is sent, which the client may read before.
        line = 'tuner_requests_total{path="/predict",status="200"} 20.0'
        until(lambda: metrics(address), lambda numbers: line in numbers.splitlines())
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.splitlines()[-1]) == (0, "Stopped.")


@pytest.fixture
def with_lambda(finished: Finished, tmp_path: Path) -> Path:
    """A run whose model makes a folder when it is loaded with code allowed."""
    import keras

    recipe = read_recipe(finished.path / "best.yaml")
    inputs = keras.Input(recipe.image.shape)
    trap = str(tmp_path / "trap")
    # Written out, so that the path stands in the code that Keras saves.
    code = f"lambda x: (__import__('os').makedirs({trap!r}, exist_ok=True), x)[1]"
    sly = keras.layers.Lambda(eval(code))
    outputs = keras.layers.Dense(recipe.image.n_classes, activation="softmax")(
        keras.layers.Flatten()(sly(inputs))
    )
    model = keras.Model(inputs, outputs)
    folder = tmp_path / "run"
    folder.mkdir()
    model.save(folder / "model.keras")
    (tmp_path / "trap").rmdir()
    write_recipe(recipe, folder / "best.yaml", "Of a test.")
    return folder


def test_a_model_with_code_in_it_is_refused_before_it_runs(
    with_lambda: Path, finished: Finished
) -> None:
    trap = with_lambda.parent / "trap"
    shown = call("serve", with_lambda, "--port", "0", cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert "cannot be loaded as a Keras model" in shown.err
    assert not trap.exists()
    import keras

    keras.models.load_model(with_lambda / "model.keras", compile=False, safe_mode=False)
    assert trap.exists(), "the payload does nothing at all"


def test_a_keras_file_alone_is_no_run(finished: Finished) -> None:
    shown = call("serve", finished.folder / "model.keras", "--port", "0", cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert "Fix: " in shown.err


def test_a_recipe_with_a_tag_of_python_is_refused(finished: Finished, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    recipe = tmp_path / "best.yaml"
    recipe.write_text(f"version: !!python/object/apply:os.mkdir ['{trap}']\n")
    shown = call("serve", recipe, "--port", "0", cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert "Fix: " in shown.err
    assert not trap.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: there is no such run"),
        (["RUN", "--model", "tuend"], 'there is no model "tuend"'),
        (["RUN", "--port", "99999"], "99999 is not in the range 0<=x<=65535"),
        (["RUN", "--token", "two words"], "--token: holds no token"),
        (["RUN", "--token", "a", "--token-file", "b"], "are both given"),
        (["RUN", "--token-file", "gone"], "gone: No such file or directory"),
        (["RUN", "--max-size", "big"], "is not a size"),
        (["RUN", "--max-pixels", "50000001"], "is not in the range 1<=x<=50000000"),
        (["RUN", "--trusted-proxy", "*"], '--trusted-proxy: "*" is not the address or network'),
    ],
)
def test_what_cannot_be_served_is_told_at_once(
    finished: Finished, arguments: list[str], message: str
) -> None:
    # Other tests begin runs here, so the newest one may be theirs.
    named = [str(finished.folder) if one == "RUN" else one for one in arguments]
    shown = call("serve", *named, cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert message in shown.err


def test_a_package_that_is_missing_is_told_with_the_line_that_installs_it(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.commands.serve._MODULES", ("starlette", "no_such_module"))
    shown = call("serve", finished.folder, cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == (
        "serve needs no_such_module, which is not installed\n  Fix: python -m pip install"
        ' "starlette>=1.0" "uvicorn>=0.40" "python-multipart>=0.0.20" "prometheus-client>=0.22"\n'
    )


@pytest.mark.parametrize(
    ("host", "proxy", "token", "words"),
    [
        ("127.0.0.1", "", "", []),
        ("127.0.0.1", "", TOKEN, []),
        ("0.0.0.0", "", TOKEN, []),
        ("0.0.0.0", "", "", ["anyone who can reach 0.0.0.0 can use this model"]),
        ("0.0.0.0", "10.0.0.1", "", ["anyone who can reach 0.0.0.0 can use this model"]),
        ("127.0.0.1", "127.0.0.1", TOKEN, []),
        (
            "127.0.0.1",
            "127.0.0.1",
            "",
            ["anyone who can reach the proxy 127.0.0.1 can use this model"],
        ),
        ("127.0.0.1", "", "short", ["fewer than 16 characters"]),
    ],
)
def test_warnings(host: str, proxy: str, token: str, words: list[str]) -> None:
    found = warnings_of(ServeOptions(source=Path(), host=host, trusted_proxy=proxy, token=token))
    assert len(found) == len(words)
    for one, part in zip(found, words, strict=True):
        assert part in one
        assert "\n  Fix: " in one


def test_records_do_not_show_the_token() -> None:
    assert TOKEN not in repr(ServeOptions(source=Path(), token=TOKEN))


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("", ""),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        (" 10.0.0.0/24 , fd00::/8", "10.0.0.0/24,fd00::/8"),
    ],
)
def test_a_proxy_is_an_address_or_a_network(given: str, taken: str) -> None:
    assert the_proxy(given) == taken


@pytest.mark.parametrize(
    "given",
    ["*", "proxy", "10.0.0.0/33", "10.0.0.1/24", "10.0.0.1,", "10.0.0.1:80", "0.0.0.0/0", "::/0"],
)
def test_what_is_no_proxy_is_refused(given: str) -> None:
    with pytest.raises(
        ConfigurationError, match=("is not the address or network of a proxy")
    ) as raised:
        the_proxy(given)
    assert raised.value.hint.startswith("give its IP address")


def test_the_token_is_that_of_the_option_the_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUNER_SERVE_TOKEN", raising=False)
    assert the_token(None, None) == ""
    monkeypatch.setenv("TUNER_SERVE_TOKEN", "of-the-environment")
    (tmp_path / "token").write_text("of-the-file\n")
    assert the_token(None, None) == "of-the-environment"
    assert the_token(None, tmp_path / "token") == "of-the-file"
    assert the_token("of-the-option", None) == "of-the-option"


@pytest.mark.parametrize("content", ["", "\n", "two\nlines", "with space", "sch\u00f6n"])
def test_what_is_no_token_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="holds no token"):
        the_token(None, file)
