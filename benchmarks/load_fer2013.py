"""How long fer2013.csv takes to load, and how much memory: without the cache, then with it.

    python benchmarks/load_fer2013.py [--data-dir datasets/data]

Each load runs in a process of its own. The limits are 15 s cold, 1 s warm and 1.5 GB; a miss exits
with 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# ru_maxrss is in KiB on Linux and in bytes on macOS.
LOAD = """
import json, resource, sys, time
from pathlib import Path
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.load import load_images
card = load_card("fer2013", card_folders())
start = time.perf_counter()
images = load_images(card, Path(sys.argv[1]))
duration_s = time.perf_counter() - start
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(json.dumps({"n": len(images.labels), "duration_s": duration_s, "peak_mb": peak / 1e6}))
"""


def main() -> int:
    """Load twice and print what each took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=Path("datasets/data"))
    source = parser.parse_args().data_dir / "fer2013"
    if not (source / "fer2013.csv").is_file():
        parser.error(f"there is no {source / 'fer2013.csv'}")
    met = True
    with tempfile.TemporaryDirectory() as folder:
        # A root of its own: the first load finds no cache, and nobody's cache is touched.
        (Path(folder) / "fer2013").symlink_to(source.resolve(), target_is_directory=True)
        for name, limit_s in (("cold", 15.0), ("warm", 1.0)):
            done = subprocess.run(
                [sys.executable, "-c", LOAD, folder], capture_output=True, text=True, check=True
            )
            found = json.loads(done.stdout)
            print(
                f"{name}: {found['n']:,} images in {found['duration_s']:.2f} s (limit"
                f" {limit_s:.0f} s)",
                end="",
            )
            print(f", peak memory {found['peak_mb']:,.0f} MB (limit 1,500 MB)")
            met = met and found["duration_s"] < limit_s and found["peak_mb"] < 1500
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
