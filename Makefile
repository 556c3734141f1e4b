# The commands of this project. Each command first sets up .venv from the lock file if needed.

PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13,$(shell command -v python$(v))) python3)
CORES ?= all
STUDY ?= results/spotlight/demo/gender
BIN := .venv/bin
READY := .venv/ready
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
# a test file runs in one process, in the order of the folders: short files come last
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo view test test-fast test-slurm bench format lint docs lock clean

help:
	@echo 'make setup   set up .venv from the lock file'
	@echo 'make demo    run the whole workflow on the embedded study (offline, synthetic speech)'
	@echo 'make view    open the interactive view of a study (STUDY=$(STUDY))'
	@echo 'make test    run all tests; make test-fast the fast ones; make test-slurm those that need Slurm'
	@echo 'make bench   run the benchmarks'
	@echo 'make format  format code; make lint checks format, code, types and workflow'
	@echo 'make docs    generate docs/tables.md'
	@echo 'make lock    resolve envs/requirements.in again into envs/requirements.lock'

$(READY): envs/requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Voxslice needs Python 3.11 or later, this is " + sys.version.split()[0] + ": name another, as in make PYTHON=python3.12 demo")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements.lock
	@$(BIN)/python -c 'import umap' # numba compiles it once; otherwise the first jobs would
	@touch $@

setup: $(READY)

demo: $(READY)
	$(SNAKEMAKE) --configfile config/demo.yaml
	@echo
	@echo 'Reports:          results/report/demo/gender.html and results/report/demo/age.html'
	@echo 'Interactive view: make view'

view: $(READY)
	$(BIN)/python scripts/view.py $(STUDY)

test: $(READY)
	$(BIN)/pytest $(PARALLEL) $(if $(DEMO),--demo $(DEMO))

test-fast: $(READY)
	$(BIN)/pytest -m 'not slow' --numprocesses auto tests/unit tests/workflow/test_dry_run.py

test-slurm: $(READY)
	$(BIN)/pytest tests/cluster

bench: $(READY)
	$(BIN)/python bench/ceiling.py
	$(BIN)/python bench/slices.py
	$(BIN)/python bench/suggestions.py
	$(BIN)/python bench/modes.py
	$(BIN)/python bench/found_figures.py
	$(BIN)/python bench/checks.py > bench/checks.md
	$(BIN)/python bench/units.py > bench/units.md
	$(BIN)/python bench/found_units.py > bench/found_units.md
	$(BIN)/python bench/exact_copies.py > bench/exact_copies.md
	$(BIN)/python bench/held_out.py > bench/held_out.md
	$(BIN)/python bench/metric_intervals.py > bench/metric_intervals.md
	$(BIN)/python bench/verdicts.py > bench/verdicts.md
	$(BIN)/python bench/gates.py > bench/gates.md
	$(BIN)/python bench/report.py
	$(BIN)/python bench/planning.py $(if $(DATA),--data $(DATA))
	$(BIN)/python bench/scale.py
	$(BIN)/python bench/measure_scale.py
	$(BIN)/python bench/refusals.py
	$(if $(MODEL),$(BIN)/python bench/inference.py $(MODEL),@echo 'make bench MODEL=folder times inference, too')
	$(if $(MODEL),$(BIN)/python bench/variants.py $(MODEL))
	$(if $(MODEL),$(BIN)/python bench/conditions.py $(MODEL))
	$(if $(DATA),$(BIN)/python bench/study.py $(DATA),@echo 'make bench DATA=folder times the default study, too')
	$(BIN)/python bench/view.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow rules

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow rules
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive scripts
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --lint --configfile config/demo.yaml

docs: $(READY)
	$(BIN)/python scripts/write_docs.py

lock: $(READY)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
		--generate-hashes --custom-compile-command 'make lock' \
		envs/requirements.in --output-file envs/requirements.lock

clean:
	rm -rf results logs benchmarks
