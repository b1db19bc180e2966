#!/usr/bin/env python3
"""The network of `training_throughput.py` as PyTorch's tutorials write it: channels last, autocast.

    python benchmarks/torch_by_hand.py [--steps 32] [--precision mixed_bfloat16]

For each line on standard input it trains an epoch, and prints the seconds that it took: so another
process takes turns with it. TensorFlow and PyTorch cannot share one, for importing both may crash.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

BATCH = 64


def epochs(n_steps: int, is_mixed: bool) -> Callable[[], None]:
    """One epoch on made-up images (n, 48, 48, 1) of seven classes, one thread."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    blocks: list[nn.Module] = []
    for before, filters in ((1, 32), (32, 64), (64, 128)):
        blocks += [
            nn.Conv2d(before, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    head = [
        nn.Flatten(),
        nn.Linear(6 * 6 * 128, 128),
        nn.ReLU(),
        nn.Dropout(0.25),
        nn.Linear(128, 7),
    ]
    model = nn.Sequential(*blocks, *head).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    n = n_steps * BATCH
    images = torch.randint(0, 256, (n, 1, 48, 48), dtype=torch.uint8)
    labels = torch.randint(0, 7, (n,))

    def epoch() -> None:
        for i in range(0, n, BATCH):
            x = (images[i : i + BATCH].float() / 255).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
                loss = loss_of(model(x), labels[i : i + BATCH])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()

    return epoch


def main() -> None:
    """Train an epoch for each line that comes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--precision", default="mixed_bfloat16")
    arguments = parser.parse_args()
    epoch = epochs(arguments.steps, arguments.precision == "mixed_bfloat16")
    for _ in sys.stdin:
        start = time.perf_counter()
        epoch()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
