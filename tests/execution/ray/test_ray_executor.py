"""The executors' contract on a Ray of its own, then a cluster of two nodes, one of which dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import psutil
import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed")

from ray.cluster_utils import Cluster  # noqa: E402
from ray.exceptions import RuntimeEnvSetupError  # noqa: E402

from tests.execution import builders  # noqa: E402
from tests.execution.test_contract import *  # noqa: E402, F403
from tests.execution.test_contract import (  # noqa: E402
    DATA,
    MANY_EPOCHS,
    Clock,
    Driver,
    curve,
    run,
    run_inline,
)
from tests.images import SMALL_CNN, train_task  # noqa: E402
from tests.search.fakes import ACCURACY, WIDE, drive, make_study, settings  # noqa: E402
from tuner.errors import ConfigurationError  # noqa: E402
from tuner.execution.executor import Reports, epoch_listener  # noqa: E402
from tuner.execution.ray import connection, trainer  # noqa: E402
from tuner.execution.ray.ray_executor import RayExecutor  # noqa: E402
from tuner.execution.ray.trainer import RemoteOrder, Trainer  # noqa: E402
from tuner.execution.stop import StopRequest  # noqa: E402
from tuner.models.registry import build  # noqa: E402
from tuner.records.events import Event, Notice  # noqa: E402
from tuner.records.image import ImageSpec  # noqa: E402
from tuner.records.training import EpochMetrics, Failure, TrainResult  # noqa: E402
from tuner.records.trial import Trial  # noqa: E402
from tuner.search.loop import search  # noqa: E402
from tuner.search.trial_training import SearchOrder  # noqa: E402
from tuner.store.search_log import SearchLog  # noqa: E402

pytestmark = pytest.mark.slow

# Nothing here takes as long; a wait that does has failed.
PATIENCE_S = 30

# A head that notices the death of a node at once.
HASTY = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 3,
}


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[RayExecutor, Driver]]:
    """The contract's executor: on a Ray of its own, every epoch's checkpoint comes back."""
    driver = Driver()
    with RayExecutor(driver.reports(), n_workers=2, checkpoint_s=0.0) as executor:
        yield executor, driver


@pytest.fixture
def short_lived(pair: tuple[RayExecutor, Driver]) -> RayExecutor:
    return RayExecutor(Driver().reports(), n_workers=1)


@pytest.fixture(scope="module")
def cluster(pair: tuple[RayExecutor, Driver]) -> Iterator[Cluster]:
    """A head with one CPU."""
    # A process has one Ray at a time.
    pair[0].close()
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "_system_config": HASTY},
    )
    yield cluster
    cluster.shutdown()


def kill(executor: RayExecutor, *, busy: bool) -> None:
    for worker in executor._workers:
        if (worker.assignment is not None) == busy:
            ray.kill(worker._actor)


def test_checkpoint_that_came_back_lets_another_worker_go_on(
    executor: RayExecutor, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear = driver.hear

    def kill_after_the_third(task: Any, epoch: Any) -> None:
        hear(task, epoch)
        if epoch.epoch == 3:
            assert (tmp_path / "t.npz").exists()
            kill(executor, busy=True)

    monkeypatch.setattr(executor, "_reports", Reports(on_epoch=kill_after_the_third))
    result = run(executor, last_epoch=30, save_to=tmp_path / "t.npz")
    assert result.n_lost_workers == 1
    assert curve(result) == curve(run_inline(last_epoch=30))
    assert driver.told == [("t", n) for n in range(1, 31)]


def test_worker_that_dies_while_it_has_nothing_to_do_costs_no_task_anything(
    executor: RayExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [train_task(task_id=name) for name in "ab"]
    for task in tasks:
        executor.submit(task)
    assert [executor.next_result().failure for _ in tasks] == [None, None]

    def kill_the_other(task: Any, epoch: Any) -> None:
        if (task.task_id, epoch.epoch) == ("t", 1):
            kill(executor, busy=False)

    monkeypatch.setattr(executor, "_reports", Reports(on_epoch=kill_the_other))
    assert run(executor, last_epoch=MANY_EPOCHS).n_lost_workers == 0
    for task in tasks:
        executor.submit(task)
    assert [executor.next_result().n_lost_workers for _ in tasks] == [0, 0]


def test_hanging_task_is_ended_and_the_next_one_runs(
    executor: RayExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_timeout_s", 1.5)
    hanging = run(executor, model=f"{builders.__name__}:build_hanging").failure
    assert hanging == Failure(reason="no step in 1.5 s", kind="hang")
    monkeypatch.undo()
    assert run(executor).failure is None


def test_steps_are_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.execution.channel.LIFE_S", 0.0)
    order = RemoteOrder(
        number=1, task=train_task(last_epoch=1), parent=None, own=None, checkpoint_s=None
    )
    *steps, epoch, result = Trainer().train(order, DATA)
    # Two batches train, one validates.
    assert steps == [None, None, None]
    assert (type(epoch), type(result)) == (EpochMetrics, TrainResult)


def test_node_prepares_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    trainer._prepare()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"


def test_pause_of_the_driver_is_no_hang(
    executor: RayExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    monkeypatch.setattr(
        executor, "_reports", Reports(on_epoch=lambda task, epoch: clock.advance(10_000))
    )
    assert run(executor, last_epoch=30).failure is None


def test_training_without_a_share_of_a_gpu_sees_none(executor: RayExecutor, tmp_path: Path) -> None:
    values = {"told": str(tmp_path / "told")}
    assert (
        run(executor, model=f"{builders.__name__}:build_telling_gpus", values=values).failure
        is None
    )
    assert (tmp_path / "told").read_text() == ""


@pytest.mark.parametrize(
    ("share", "variables"), [(0.0, {"CUDA_VISIBLE_DEVICES": ""}), (0.5, {}), (1.0, {})]
)
def test_ray_chooses_the_gpu_of_a_training_that_takes_one(
    share: float, variables: Mapping[str, str]
) -> None:
    given = connection.worker_options(share)["runtime_env"]["env_vars"]
    assert {name: text for name, text in given.items() if name.startswith("CUDA")} == variables


def test_signals_stay_the_programs_own(executor: RayExecutor) -> None:
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


STRANGER = """
import os, ray
os.environ.pop("RAY_AUTH_TOKEN")
try:
    ray.init(address="{address}", log_to_driver=False)
except ray.exceptions.AuthenticationError:
    print("refused")
"""


def test_who_has_no_token_is_not_let_in(executor: RayExecutor) -> None:
    address = ray.get_runtime_context().gcs_address
    command = [sys.executable, "-c", STRANGER.format(address=address)]
    stranger = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert stranger.stdout == "refused\n"


def test_no_process_outlives_close(executor: RayExecutor) -> None:
    executor.submit(train_task(last_epoch=10**6))
    # The fork server of the contract's last test is a child too, and stays.
    children = [(p, " ".join(p.cmdline())) for p in psutil.Process().children(recursive=True)]
    started = [p for p, line in children if "/ray/core/" in line or "ray::" in line]
    assert started
    executor.close()
    executor.close()
    assert psutil.wait_procs(started, timeout=PATIENCE_S)[1] == []


def build_where(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """On the doomed node: says so in a file, and waits for the end; elsewhere a model, but not
    before the doomed node has begun: its worker may start later than the search takes."""
    reached = Path(values["reached"])
    if ray.get_runtime_context().get_node_id() == values["doomed"]:
        reached.touch()
        threading.Event().wait()
    wait_for(reached)
    return build("cnn", SMALL_CNN, image_spec)


def wait_for(path: Path) -> None:
    """Wait until a file is there; a worker may take a minute to start beside other tests."""
    for _ in range(4 * PATIENCE_S * 20):
        if path.exists():
            return
        threading.Event().wait(0.05)


def remove_when(cluster: Cluster, node: Any, reached: Path) -> threading.Thread:
    """Kill a node as soon as a file is there."""

    def wait() -> None:
        wait_for(reached)
        # Nobody is to wait for it any more.
        reached.touch()
        cluster.remove_node(node, allow_graceful=False)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_search_on_two_nodes_loses_no_trial_when_one_dies(cluster: Cluster, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1)
    space = replace(WIDE, fixed={"doomed": node.node_id, "reached": str(tmp_path / "reached")})
    hyperband = settings(max_epochs=3)
    order = SearchOrder(
        model="tests.execution.ray.test_ray_executor:build_where",
        objective=ACCURACY,
        seed=1,
        checkpoints=tmp_path / "checkpoints",
    )
    events: list[Event] = []
    kept: list[Trial] = []

    class Keeper:
        def keep(self, trial: Trial) -> None:
            kept.append(trial)

    with RayExecutor(
        Reports(on_epoch=epoch_listener(events.append)), address=cluster.address
    ) as executor:
        assert executor.n_workers == 2
        executor.add_data("images", DATA)
        study = make_study(space, search=hyperband)
        killer = remove_when(cluster, node, tmp_path / "reached")
        trials = search(
            order,
            study,
            executor,
            SearchLog(tmp_path / "log.jsonl"),
            Keeper(),
            events.append,
            StopRequest(),
        )
    killer.join()
    assert {t.status for t in trials} == {"completed"}
    assert (
        len({t.trial_id for t in trials})
        == len(trials)
        == len(drive(make_study(space, search=hyperband)))
    )
    assert kept == trials
    assert [e.text.partition(": ")[2] for e in events if isinstance(e, Notice)] == [
        "1 of its workers died; another worker took over"
    ]


@pytest.fixture
def driver_on_cluster(cluster: Cluster) -> Iterator[tuple[RayExecutor, Driver]]:
    driver = Driver()
    with RayExecutor(driver.reports(), address=cluster.address) as executor:
        executor.add_data("images", DATA)
        yield executor, driver


def test_task_whose_workers_die_again_and_again_is_lost(
    driver_on_cluster: tuple[RayExecutor, Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.execution.assignment.MAX_LOST", 1)
    model = f"{builders.__name__}:build_killed"
    result = run(driver_on_cluster[0], model=model, values={"signal": "SIGKILL"})
    assert result.n_lost_workers == 2
    assert result.failure is not None
    assert (result.failure.reason, result.failure.kind) == (
        "its worker died, or the node that it was on",
        "lost",
    )
    assert "actor died" in result.failure.traceback


def test_task_without_a_worker_ends_at_once_when_all_is_to_stop(
    driver_on_cluster: tuple[RayExecutor, Driver],
) -> None:
    executor, driver = driver_on_cluster
    driver.stop_after = 0
    result = run(executor)
    assert (result.ended_by, result.epochs, result.failure) == ("request", (), None)


def test_cluster_without_a_place_is_refused(cluster: Cluster) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RayExecutor(Driver().reports(), address=cluster.address, gpus_per_trial=0.25)
    assert (
        caught.value.message
        == "no node of the Ray cluster has the CPU and 0.25 GPU that a training takes"
    )
    assert not ray.is_initialized()


@pytest.mark.parametrize(
    ("resources", "gpus_per_trial", "n"),
    [
        ({"CPU": 3.0}, 0.0, 3),
        ({"CPU": 8.0, "GPU": 2.0}, 0.25, 8),
        ({"CPU": 8.0, "GPU": 3.0}, 0.6, 3),
        ({"CPU": 1.0, "GPU": 4.0}, 1.0, 1),
        ({}, 0.0, 0),
    ],
)
def test_node_has_places_for_what_both_its_cpus_and_its_gpus_allow(
    resources: Mapping[str, float], gpus_per_trial: float, n: int
) -> None:
    assert connection._n_places_on(resources, gpus_per_trial) == n


@pytest.mark.parametrize("share", [-0.5, 1.5, 2.0])
def test_share_of_a_gpu_that_no_training_can_use_is_refused(share: float) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RayExecutor(Driver().reports(), gpus_per_trial=share)
    assert caught.value.message == f"--gpus-per-trial is {share:g}; it must be from 0 to 1"


def test_folder_too_large_to_send_is_named_and_signals_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def take_sigterm_and_fail(**given: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise RuntimeEnvSetupError("Failed to upload module own: 600 MiB")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(connection, "_check_reachable", lambda address: None)
    monkeypatch.setattr(ray, "init", take_sigterm_and_fail)
    with pytest.raises(ConfigurationError) as caught:
        connection.connect("127.0.0.1:9")
    assert (
        caught.value.message
        == f"the Python files of {tmp_path} cannot be sent to the Ray cluster: Failed to upload"
        " module own: 600 MiB"
    )
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:9", "nothing answers at 127.0.0.1:9: Connection refused"),
        ("ray://127.0.0.1:9", "--ray-address is ray://127.0.0.1:9; it must be HOST:PORT"),
        ("head", "--ray-address is head; it must be HOST:PORT"),
    ],
)
def test_address_that_cannot_be_used_is_told_at_once(address: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connection.connect(address)
    assert caught.value.message == message


def test_own_modules_are_those_of_the_folder(tmp_path: Path) -> None:
    for name in ("own.py", "package/__init__.py", "data/images.py", "space.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert connection._own_modules(tmp_path) == [
        str(tmp_path / "own.py"),
        str(tmp_path / "package"),
    ]
