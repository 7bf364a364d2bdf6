# `make demo` and `make test` need nothing but Python (3.11 or later) and make.
PYTHON ?= python3
EXTRAS ?= dev
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types imports bench docs docs-serve tutorials figures explained readouts \
  matched structures validation reproduction clean

demo: $(VENV)/.installed
	$(BIN)/grokscope train "x + y" --stop-accuracy 0.999 --out runs/demo --resume

test: $(VENV)/.installed-$(EXTRAS)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-$(EXTRAS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-$(EXTRAS)
	$(BIN)/pyright

imports: $(VENV)/.installed-$(EXTRAS)
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev,torch
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed-docs
	$(BIN)/python -m docs.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

docs-serve: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --dev-addr 127.0.0.1:8000

tutorials: $(VENV)/.installed-dev,torch
	$(BIN)/python -m docs.notebooks

figures: $(VENV)/.installed
	$(BIN)/python -m docs.moving_spectrum
	$(BIN)/python -m docs.progress

explained: $(VENV)/.installed
	$(BIN)/python -m docs.explained

readouts: $(VENV)/.installed
	$(BIN)/python -m docs.readouts

matched: $(VENV)/.installed
	$(BIN)/python -m docs.matched

structures: $(VENV)/.installed
	$(BIN)/python -m docs.structure

validation: $(VENV)/.installed
	$(BIN)/python -m docs.validation

reproduction: $(VENV)/.installed
	$(BIN)/python -m docs.reproduction
	$(BIN)/python -m docs.findings

clean:
	rm -rf $(VENV) dist site

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	touch $@

$(VENV)/.installed-%: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable ".[$*]"
	touch $(VENV)/.installed $@
