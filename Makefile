# tir's everyday commands. They need Python 3.10 or newer and make; the rest is installed into a virtual environment on
# first use and again when pyproject.toml changes.
#
#   make test PYTHON=python3.12     another Python, in its own environment (.venv-python3.12)
#   make test ARGS='-k autodiff'    more arguments for pytest

PYTHON ?= python3
VENV ?= .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
EXTRAS ?= test,demo,dev,upstream,blas,lsp,viz
WORKERS ?= 2
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# One stamp for what `make demo` needs and one for everything; each says which pyproject.toml it was installed from.
DEMO_STAMP := $(VENV)/.installed-demo
STAMP := $(VENV)/.installed
# Tests of one group (`xdist_group`) share a worker, and with it what they built.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo explore test test-all test-pythons plant lint types bench docs ops-status rules-status man wheel clean

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

setup: $(STAMP)  ## install tir and what its tests need into .venv

demo: $(DEMO_STAMP)  ## train digit classifiers from text and save pictures of what it learned
	$(BIN)/python examples/demo.py

explore: $(DEMO_STAMP)  ## write a page that shows the digits example at every level, for a browser
	@mkdir -p examples/out
	$(BIN)/tir-opt --explore examples/out/explore.html --fuse --lower-cpu examples/digits.tir

test: $(STAMP)  ## run the test suite without its slow tests
	$(PYTEST) -m "not slow" $(ARGS)

test-all: $(STAMP) lint types  ## run everything: slow tests, planted bugs, and the suite on Python 3.10 and 3.13
	$(PYTEST) $(ARGS)
	$(MAKE) --no-print-directory plant
	$(MAKE) --no-print-directory test-pythons

test-pythons:  ## run `make test` on Python 3.10 and 3.13, and say which of them is missing
	$(PYTHON) tools/run_on_pythons.py 3.10 3.13

plant: $(STAMP)  ## plant bugs one by one and see that the tests catch them
	$(BIN)/python tests/plant/plant.py

lint: $(STAMP)  ## look for mistakes and style with ruff
	$(BIN)/ruff check

types: $(STAMP)  ## check the types of tir/ with mypy
	$(BIN)/mypy

bench: $(STAMP)  ## measure speed
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(STAMP)  ## write anew what is generated: the parser's tables, docs/ops.md, passes.md, what the examples print
	$(BIN)/python tools/gen_grammar.py
	$(BIN)/python tools/gen_docs.py
	$(BIN)/python tools/doc_examples.py --update

ops-status: $(STAMP)  ## run the samples of every op at every level and write what docs/ops.md says of it
	$(BIN)/python tools/ops_status.py
	$(BIN)/python tools/gen_docs.py

rules-status: $(STAMP)  ## prove the rewrite rules that have changed and write what docs/rewrites.md says of them
	$(BIN)/python tools/rules_status.py
	$(BIN)/python tools/gen_docs.py

man: $(STAMP)  ## write the manual pages of the tools into build/man
	$(BIN)/python tools/gen_man.py

wheel: $(STAMP) man  ## build the wheel into dist/, manual pages included
	$(BIN)/python -m build --wheel

clean:  ## remove the virtual environments, caches and build output
	rm -rf .venv .venv-* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "make: tir needs Python 3.10 or newer and '$(PYTHON)' is none: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "make: '$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(DEMO_STAMP): pyproject.toml | $(BIN)/python
	@echo "installing tir and what the demo needs into $(VENV)"
	@$(PIP) install --quiet --editable '.[demo]'
	@touch $@

$(STAMP): pyproject.toml | $(BIN)/python
	@echo "installing tir and what its tests need into $(VENV)"
	@$(PIP) install --quiet --editable '.[$(EXTRAS)]'
	@touch $(DEMO_STAMP) $@
