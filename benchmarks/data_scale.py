"""Seconds and private memory to load 200,000 images, and of the workers that train on them.

    python benchmarks/data_scale.py [--n 200000] [--folder FOLDER]

Writes class folders of 96 x 96 JPEGs (4 kB each) into a temporary folder, loads them without and
with the cache, each in a process of its own, and lets two workers train an epoch, once of all of
them and once of 2,000. Needs 32 kB of disk per image. A worker whose private memory (RssAnon, Linux
only) is 300 MB larger for the larger set exits with 1. `--stream` sets the cache's limit to 0, so
that images are decoded anew.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tuner.data.cards.card import Card
from tuner.data.load import load_images
from tuner.data.splits.fold import Fold
from tuner.execution.executor import Reports
from tuner.execution.process.process_executor import ProcessExecutor
from tuner.execution.process.start import warm_up
from tuner.records.image import ImageSpec
from tuner.records.training import TrainTask
from tuner.space.vocabulary import VOCABULARIES, with_defaults
from tuner.training.data import TrainingData

SIDE = 96
N_CLASSES = 10
N_FEW = 2_000
LIMIT_MB = 300.0
NETWORK = {"conv_blocks": 2, "filters_0": 8, "filters_1": 8, "dense_units": 16, "batch_size": 64}


def write_images(folder: Path, n: int) -> None:
    """Blurred noise, each image another, in class folders."""
    for number in range(N_CLASSES):
        (folder / f"class{number}").mkdir(parents=True)

    def write(start: int) -> None:
        for i in range(start, min(start + 1000, n)):
            noise = np.random.default_rng(i).integers(0, 256, (12, 12, 3), dtype=np.uint8)
            content = io.BytesIO()
            Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(
                content, "JPEG", quality=90
            )
            (folder / f"class{i % N_CLASSES}" / f"{i:06}.jpg").write_bytes(content.getvalue())

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write, range(0, n, 1000)))


def card(folder: Path) -> Card:
    """The card of a folder of images."""
    files = {"type": "class_folders", "path": folder.name}
    image = {"height": SIDE, "width": SIDE, "channels": 3}
    return Card.model_validate(
        {"name": folder.name, "title": folder.name, "files": files, "image": image}
    )


def private_mb(pid: int) -> float:
    """RssAnon of a process; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("RssAnon:")), 0.0)


def with_peaks(
    pids: Callable[[], list[int]], work: Callable[[], Any]
) -> tuple[Any, dict[int, float]]:
    """What the work returns, and the largest private memory of each process while it is done."""
    peaks: dict[int, float] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            for pid in pids():
                peaks[pid] = max(peaks.get(pid, 0.0), private_mb(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        return work(), peaks
    finally:
        done.set()
        watcher.join()


def load_in_child(folder: Path) -> tuple[dict[str, float], float]:
    """Load in a process of its own: what it measured, and its largest private memory."""
    command = [sys.executable, __file__, "--load", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        (out, _), peaks = with_peaks(lambda: [child.pid], child.communicate)
    if child.returncode:
        sys.exit("loading failed")
    return json.loads(out), max(peaks.values(), default=0.0)


def load(folder: Path) -> None:
    """Print what a load took; the parent watches the memory."""
    before_mb, start = private_mb(os.getpid()), time.perf_counter()
    images = load_images(card(folder), folder.parent)
    found = {
        "duration_s": time.perf_counter() - start,
        "n": len(images.labels),
        "before_mb": before_mb,
    }
    print(json.dumps(found | {"after_mb": private_mb(os.getpid())}))


def worker_peaks_mb(folder: Path, scratch: Path) -> list[float]:
    """Largest private memory of each of two workers that train all images of a set for an epoch."""
    images = load_images(card(folder), folder.parent)
    rows = np.arange(len(images.labels))
    names = images.class_names
    mean, std = (127.0,) * 3, (60.0,) * 3
    data = TrainingData(
        inputs=images.images,
        labels=images.labels,
        folds=(Fold(train=rows, validation=rows[:N_FEW]),),
        spec=ImageSpec(height=SIDE, width=SIDE, channels=3, class_names=names, mean=mean, std=std),
    )
    values = with_defaults(VOCABULARIES["cnn"], NETWORK)
    others = {process.pid for process in active_children()}

    def pids() -> list[int]:
        return [
            process.pid
            for process in active_children()
            if process.pid and process.pid not in others
        ]

    def train() -> None:
        start = time.perf_counter()
        for seed in (1, 2):
            executor.submit(
                TrainTask(
                    task_id=str(seed),
                    model="cnn",
                    values=values,
                    seed=seed,
                    first_epoch=1,
                    last_epoch=1,
                )
            )
        for _ in range(2):
            failure = executor.next_result().failure
            if failure:
                sys.exit(failure.reason)
        print(
            f"  two workers trained {len(rows):,} images each in"
            f" {time.perf_counter() - start:.1f} s",
            flush=True,
        )

    with ProcessExecutor(
        Reports(on_epoch=lambda task, epoch: None), n_workers=2, scratch=scratch
    ) as executor:
        executor.add_data("images", data)
        return sorted(with_peaks(pids, train)[1].values())[-2:]


def main() -> int:
    """Write, load, train, and print what each took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=200_000, help="images of the large set")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--stream", action="store_true", help="without a cache of pixels")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        load(options.load)
        return 0
    if options.stream:
        os.environ["TUNER_CACHE_LIMIT"] = "0"
    workers: dict[str, list[float]] = {}
    warm_up()
    with tempfile.TemporaryDirectory(dir=options.folder) as root:
        for name, n in (("few", min(N_FEW, options.n)), ("all", options.n)):
            folder = Path(root, name)
            start = time.perf_counter()
            write_images(folder, n)
            print(f"{n:,} images written in {time.perf_counter() - start:.1f} s", flush=True)
            for state in ("cold", "warm"):
                found, peak_mb = load_in_child(folder)
                added_mb = peak_mb - found["before_mb"]
                kept_mb = found["after_mb"] - found["before_mb"]
                print(
                    f"  {state}: loaded in {found['duration_s']:.1f} s; this added {added_mb:.0f}"
                    f" MB of private memory at its peak and {kept_mb:.0f} MB in the end",
                    flush=True,
                )
            size = sum(path.stat().st_size for path in Path(root, ".cache").glob(f"{name}-*/*"))
            print(f"  cache: {size / 1e9:.2f} GB", flush=True)
            workers[name] = worker_peaks_mb(folder, Path(root, f"scratch-{name}"))
            print(
                "  private memory of the workers:"
                f" {', '.join(f'{mb:.0f} MB' for mb in workers[name])}",
                flush=True,
            )
    added = max(many - few for many, few in zip(workers["all"], workers["few"], strict=True))
    print(
        f"{options.n - N_FEW:,} more images add {added:.0f} MB to a worker (limit"
        f" {LIMIT_MB:.0f} MB)"
    )
    print(f"load average {os.getloadavg()[0]:.1f}")
    return 0 if added < LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
