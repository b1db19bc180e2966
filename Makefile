# `make run`, `make test`, `make test-all`, `make check`: each sets up .venv by itself; all that is needed is Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
# `make EXTRAS=dev,ray,jax` for the tests of the Ray executor, and those with JAX, too.
EXTRAS ?= dev
BIN := $(VENV)/bin
# A process takes up to 2 GB. Files stay whole, for what their tests share, and in order: tests/conftest.py begins with
# the longest of those that came last.
IN_ORDER := --dist loadfile --no-loadscope-reorder
PARALLEL := --numprocesses logical --maxprocesses 4 $(IN_ORDER)
# The slow ones wait for processes of theirs a third of the time.
OVERLAPPING := --numprocesses $(shell $(PYTHON) -c "import os; print(min(4, os.cpu_count() + 1))") $(IN_ORDER)
READY := $(VENV)/.ready

.PHONY: run test test-slow test-all test-jax soak check lint format docs ready clean

ready: $(READY)

run: $(READY)
	$(BIN)/python -m tuner run drawn_faces --preset quick

test: $(READY)
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL)

# Whole runs, worker processes, Ray, the report in a browser.
test-slow: $(READY)
	$(BIN)/python -m pytest -m slow $(OVERLAPPING)

# One session: what both need is imported once, and the runs that both look at are made once.
test-all: $(READY)
	$(BIN)/python -m pytest $(OVERLAPPING)

# What depends on the backend, once more on JAX; needs EXTRAS=dev,jax. XLA compiles in a hurry: no speed is tested.
test-jax: $(READY)
	KERAS_BACKEND=jax XLA_FLAGS=--xla_backend_optimization_level=0 JAX_COMPILATION_CACHE_DIR=$(VENV)/jax $(BIN)/python -m pytest $(PARALLEL) \
		tests/backend tests/execution/test_contract.py tests/training/test_folds.py

# 446 commands, each killed at a random moment, then hostile files, folders, documents and run folders, and outputs of
# made-up models; takes about half an hour.
soak: $(READY)
	$(BIN)/python -m tests.soak.kill_matrix --fakes 194 --real 6
	$(BIN)/python -m tests.soak.kill_commands --fakes 240 --real 6
	$(BIN)/python -m tests.soak.fuzz_data --cases 2200
	$(BIN)/python -m tests.soak.fuzz_folders --cases 400
	$(BIN)/python -m tests.soak.fuzz_documents --cases 900
	$(BIN)/python -m tests.soak.fuzz_outputs --cases 2000
	$(BIN)/python -m tests.soak.fuzz_run_files --cases 1000
	$(BIN)/python -m tests.soak.own_builders

check: lint test-all

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The documentation as a site in build/docs/site; needs EXTRAS=dev,docs. A broken link fails it.
docs: $(READY)
	$(BIN)/python -m docs.site.build

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Only a finished installation leaves the mark, so an interrupted one is taken up again.
$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Setting up $(VENV) (TensorFlow takes a minute or two) ..."
	$(PYTHON) -m venv $(VENV)
	@# The pip that comes with Python takes half a minute longer to choose among the index's files.
	$(BIN)/python -m pip install -qq --constraint constraints.txt --upgrade pip
	$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $(READY)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
