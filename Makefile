# The two commands of the README are `make report` and `make test`; `make` alone lists the rest.
# Nothing here is analysis: each target starts a tool in the locked environment.

PYTHON ?= python3.13 python3.12 python3.11 python3
CORES  ?= all
ARGS   ?=
UV     ?= uv

# A slow network is waited for; a user's own settings win.
export PIP_DEFAULT_TIMEOUT ?= 60
export PIP_RETRIES ?= 10
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

BIN := .venv/bin
STAMP := .venv/installed
# Same bytes on every run: one BLAS thread, one hash seed, one locale, no clock in figures.
RUN := PATH="$(CURDIR)/$(BIN):$$PATH" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
       PYTHONHASHSEED=0 LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=0
PYTEST := $(BIN)/python -m pytest
WORKERS := -n logical --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help report test check example simulate bench dag lock setup clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1#\2/p' Makefile | awk -F'#' '{printf "  %-14s %s\n", $$1, $$2}'

report: $(STAMP) ## install what is locked, then run the whole analysis (CORES=4, ARGS="--configfile x.yaml")
	@$(RUN) snakemake --cores $(CORES) $(ARGS)

test: $(STAMP) ## run the tests (ARGS="-k name" for some of them)
	@$(RUN) $(PYTEST) $(WORKERS) $(ARGS)

check: $(STAMP) ## lint and check the format of Python and Snakemake files
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check Snakefile rules
	$(RUN) snakemake --cores 1 --dry-run --quiet all
	@# One environment serves all rules, so the advice to give each rule its own is left out.
	! $(RUN) snakemake --lint 2>&1 | grep '^ *\* ' | grep -v '\* Specify a conda environment or container'

example: report ## renew the rendered example of docs/example
	@mkdir -p docs/example
	@cp out/open/report.html docs/example/open.html
	@cp out/closed/report.html docs/example/closed.html
	@cp out/closed/outputs/F1.txt out/closed/outputs/F1.png out/closed/outputs/F11.png docs/example/

simulate: $(STAMP) ## run the slow tests: estimators against a known truth
	@$(RUN) $(PYTEST) $(WORKERS) -m slow $(ARGS)

bench: $(STAMP) ## time the estimators beside their peers
	@$(RUN) $(BIN)/python -m benchmarks $(ARGS)

dag: $(STAMP) ## draw the rules and their order as a Mermaid graph in out/rulegraph.mmd
	@mkdir -p out
	@$(RUN) snakemake --rulegraph mermaid-js > out/rulegraph.mmd
	@echo "out/rulegraph.mmd"

lock: ## pin requirements.txt anew from pyproject.toml (ARGS=--upgrade for newer versions; needs uv)
	@command -v $(UV) >/dev/null || { echo "uv was not found: install it, or name it with make lock UV=..." >&2; exit 1; }
	@env -u UV_INDEX -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	    $(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	    --fork-strategy fewest --generate-hashes --no-config --custom-compile-command "make lock" \
	    --quiet --output-file requirements.txt $(ARGS)

setup: $(STAMP) ## make the environment in .venv and nothing else

clean: ## remove everything a run made (results, logs, caches), but not .venv
	rm -rf out .snakemake .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# Made anew whenever the lock changes, so that no package outlives its pin. SOURCE_DATE_EPOCH is unset because pip
# would write byte code that has to be checked against its source at every import.
$(STAMP): requirements.txt
	@found=; \
	for python in $(PYTHON); do \
	    if "$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; \
	    then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "No Python 3.11, 3.12 or 3.13 with venv was found (tried: $(PYTHON)). Name one: make PYTHON=/path/to/python3.12" >&2; \
	    exit 1; \
	fi; \
	unset SOURCE_DATE_EPOCH; \
	echo "Setting up .venv with $$("$$found" --version) (once, and after a change of requirements.txt)"; \
	"$$found" -m venv --clear .venv && \
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt && \
	touch $@
