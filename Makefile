# Two commands on a fresh machine: `make demo` and `make test`. Both set up what they need in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEXT := .next
export UV_COMPILE_BYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

DEMO := demo-store
LINES ?= 1000000

.DEFAULT_GOAL := help
.PHONY: help setup demo test next soak lint format generate truth bench lock clean

help:            ## Show the targets.
	@grep -hE '^[a-z]+: .*##|^[a-z]+:  +##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.runtime  ## Install what a run needs.

demo: $(VENV)/.runtime  ## Generate a demo store, run it, print the verdict and write the memo.
	$(BIN)/marginwise demo $(DEMO)
	$(BIN)/marginwise run --project $(DEMO)

test: $(VENV)/.dev  ## Install what the tests need and run them all.
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

next: $(VENV)/.dev $(NEXT)/.installed  ## Run all tests on the next DuckDB, of requirements/next.txt.
	PYTHONPATH=$(CURDIR)/$(NEXT) $(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

soak: $(VENV)/.dev  ## Run the long tests, over the real data sets.
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder -m soak tests

lint: $(VENV)/.dev  ## Check style, types and SQL.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar src/marginwise/warehouse docs/queries

format: $(VENV)/.dev  ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(VENV)/.dev  ## Write again what is generated from the contract and the command line.
	$(BIN)/python -m marginwise.contract.generate

truth: $(VENV)/.dev  ## Judge simulated stores whose truth is known and write docs/truth.md.
	$(BIN)/python -m benchmarks.truth

bench: $(VENV)/.dev  ## Measure land, check and build against a hand-written script, and one more day (LINES=10000000: larger).
	$(BIN)/python -m benchmarks.warehouse --lines $(LINES)

lock: $(VENV)/.uv  ## Resolve the dependencies anew into requirements/.
	$(BIN)/uv lock --upgrade
	$(BIN)/uv export -q --no-dev --group build --no-emit-project --no-header --format requirements-txt -o requirements/runtime.txt
	$(BIN)/uv export -q --all-groups --no-emit-project --no-header --format requirements-txt -o requirements/dev.txt
	$(BIN)/uv export -q --only-group installer --no-emit-project --no-header --format requirements-txt -o requirements/installer.txt
	echo 'duckdb>=2,<2.1' | $(BIN)/uv pip compile -q --upgrade --no-config --no-deps --generate-hashes --no-header --no-annotate -o requirements/next.txt -

clean:           ## Remove what was installed and generated.
	rm -rf $(VENV) $(NEXT) $(DEMO)

# uv installs fast; where it cannot reach the index that pip is configured for, pip installs the same locked set.
$(VENV)/.uv: requirements/installer.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --no-deps --require-hashes -r requirements/installer.txt
	touch $@

define install
	$(BIN)/uv pip install -q --no-config --python $(BIN)/python --no-deps --require-hashes -r $(1) \
		|| $(BIN)/python -m pip install -q --no-deps --require-hashes -r $(1)
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@
endef

$(VENV)/.runtime: $(VENV)/.uv requirements/runtime.txt pyproject.toml
	$(call install,requirements/runtime.txt)

# only DuckDB lies here; all else is that of the environment
$(NEXT)/.installed: $(VENV)/.uv requirements/next.txt
	rm -rf $(NEXT)
	$(BIN)/uv pip install -q --no-config --python $(BIN)/python --target $(NEXT) --no-deps --require-hashes -r requirements/next.txt \
		|| $(BIN)/python -m pip install -q --target $(NEXT) --no-deps --require-hashes -r requirements/next.txt
	touch $@

$(VENV)/.dev: $(VENV)/.uv requirements/dev.txt pyproject.toml
	$(call install,requirements/dev.txt)
	touch $(VENV)/.runtime
