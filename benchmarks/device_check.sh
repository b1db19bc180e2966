#!/usr/bin/env bash
# What a GPU makes of tuner: tests, whole runs, several trainings on one GPU, 16 bits, and images/s.
#
#     benchmarks/device_check.sh [FOLDER]      # for logs and summary.txt; device_check/ by default
#
# For a bare machine that has Python 3.11 or newer and JAX with its GPU plugin, but no TensorFlow and maybe no network.
# It takes at most eight minutes on a GPU: each part has a limit of its own, and one that fails or runs out of time ends no
# other. On a CPU it runs too, on smaller data (SMALL=1), to see that it works.
#
# Beside JAX it needs, of the versions in constraints.txt: keras, keras-tuner, optree, h5py, namex, ml-dtypes, absl-py, rich,
# markdown-it-py, mdurl, pygments, packaging, requests, urllib3, idna, certifi, charset-normalizer, kt-legacy, numpy, scipy,
# scikit-learn, joblib, threadpoolctl, pillow, pydantic, pydantic-core, annotated-types, typing-extensions, typing-inspection,
# pyyaml, jinja2, markupsafe, matplotlib with its parts, click, filelock, psutil, cloudpickle; for the tests: pytest,
# pytest-xdist, execnet, iniconfig, pluggy. Put the wheels that are missing there into a folder and name it in WHEELS:
#
#     python -m pip download --no-deps --only-binary=:all: -d wheels ...    # where there is a network
#     WHEELS=wheels benchmarks/device_check.sh                              # on the machine with the GPU
set -uo pipefail
cd "$(dirname "$0")/.."

out=${1:-device_check}
python=${PYTHON:-python3}
small=${SMALL:-}
mkdir -p "$out"
out=$(cd "$out" && pwd)
summary=$out/summary.txt
: >"$summary"

if [ -n "${WHEELS:-}" ]; then
  "$python" -m pip install -q --no-index --no-deps --no-compile --target "$out/site" "$WHEELS"/*.whl || exit 1
  export PYTHONPATH="$out/site:${PYTHONPATH:-}"
fi
export PYTHONPATH="$PWD:${PYTHONPATH:-}" KERAS_BACKEND=jax JAX_COMPILATION_CACHE_DIR="$out/jax"
# Processes share the GPU.
export XLA_PYTHON_CLIENT_PREALLOCATE=false

say() { echo "$*" | tee -a "$summary"; }

# All parts together; the limits of single ones are for what hangs.
deadline=$((SECONDS + 470))

# part NAME SECONDS COMMAND ...: runs it within its time, and says what became of it.
part() {
  local name=$1 limit=$2 started=$SECONDS rc=0 left=$((deadline - SECONDS))
  shift 2
  if [ "$left" -lt 5 ]; then
    say "$name: left out, no time"
    return 1
  fi
  [ "$left" -ge "$limit" ] || limit=$left
  timeout --kill-after=10 "$limit" "$@" >"$out/$name.log" 2>&1 || rc=$?
  local what=ok
  [ "$rc" = 0 ] || what="failed (exit code $rc)"
  [ "$rc" != 124 ] || what="not done within $limit s"
  say "$name: $what, $((SECONDS - started)) s"
  return "$rc"
}

# The last lines of a part that say something.
figures() { grep -E "$2" "$out/$1.log" | tail -"${3:-3}" | sed 's/^/    /' | tee -a "$summary"; }

tuner() { "$python" -m tuner "$@" --out "$out/reports" --data-dir "$out/data"; }
export -f tuner
export python out

part devices 60 "$python" -c '
from tuner.backend import environment
environment.prepare()
from tuner.backend.active import backend, policy, prepare_devices
import jax, keras
prepare_devices(1)
print("jax", jax.__version__, "keras", keras.__version__, jax.devices())
print("GPUs:", [gpu.name for gpu in backend.gpus()] or "none", "policy:", policy())
'
figures devices "jax|GPUs"

part images_per_s 100 "$python" -m benchmarks.jax_by_hand ${small:+--batch 16 --steps 3 --rounds 2}
figures images_per_s "device|images/s" 5

tests=(tests/backend tests/training tests/execution)
[ -z "$small" ] || tests=(tests/backend/test_mixed_precision.py tests/training/test_folds.py)
part tests 180 "$python" -m pytest -q -m "not slow" -n 8 "${tests[@]}"
figures tests "passed|failed|FAILED" 12

# Data like FER2013: 48 x 48, grey, seven classes that a network can tell apart, but not all.
"$python" - "$out/faces.csv" "${small:+1}" <<'EOF'
import sys
import numpy as np
rng = np.random.default_rng(0)
n = 400 if len(sys.argv) > 2 and sys.argv[2] else 6000
bases = rng.normal(size=(7, 48, 48))
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write("emotion,pixels,Usage\n")
    for i in range(n):
        emotion = int(rng.integers(7))
        image = np.clip(128 + 18 * bases[emotion] + 60 * rng.normal(size=(48, 48)), 0, 255)
        usage = ("Training", "PublicTest", "PrivateTest")[0 if i % 10 < 8 else i % 10 - 7]
        file.write(f"{emotion},{' '.join(map(str, image.astype(int).ravel()))},{usage}\n")
EOF

# What JAX compiles is kept: both sides of a comparison find it there, or neither. Wall time holds the start, so the
# search's own seconds are what is compared.
search_s() {
  "$python" - "$out/reports" <<'EOF' | tee -a "$summary"
import json, pathlib, sys
newest = max(pathlib.Path(sys.argv[1]).glob("*/*/results.json"), key=lambda path: path.stat().st_mtime)
found = json.loads(newest.read_text(encoding="utf-8"))
search, hardware = found["search"], found["run"]["hardware"]
print(f"    search {search['duration_s']:.1f} s, best {search['best_score']:.3f}, {hardware['workers']} at a time,"
      f" {hardware['precision']}, GPU {hardware['gpu']}")
EOF
}

compare=(--set "compare=[baseline]")
part drawn_faces 100 bash -c 'tuner run drawn_faces --preset quick "$@"' _ "${compare[@]}" ${small:+--limit 100}
figures drawn_faces "Tuned|Inconclusive|better|difference" 2
part faces 100 bash -c 'tuner run "$out/faces.csv" --preset quick "$@"' _ "${compare[@]}"
figures faces "Tuned|Inconclusive|better|difference" 2

search=(--preset quick --search-only --fresh --seed 1)
for options in "1 float32" "1 float32" "4 float32" "1 mixed_bfloat16" "1 mixed_bfloat16"; do
  read -r workers precision <<<"$options"
  # The first of each fills the cache of compiled programs.
  part "search_${workers}_$precision" 45 bash -c 'tuner run "$out/faces.csv" "$@"' _ "${search[@]}" \
    --workers "$workers" --precision "$precision" && search_s
done

say "in all: $SECONDS s; logs are in $out"
