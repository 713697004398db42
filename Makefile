# `make demo` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo lint test bench slow format clean

demo: $(VENV)/installed
	$(VENV)/bin/hashnet demo

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright --pythonpath $(VENV)/bin/python

test: lint
	$(VENV)/bin/python -m pytest -n 2 --dist=worksteal -m "not slow"

bench: $(VENV)/installed-test
	$(VENV)/bin/python benchmarks/retrieval.py
	$(VENV)/bin/python benchmarks/encoder.py
	$(VENV)/bin/python benchmarks/input.py

slow: $(VENV)/installed-test
	$(VENV)/bin/python -m pytest -n 2 --dist=worksteal -m slow

format: $(VENV)/installed-test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: setup.py pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --editable .
	touch $@

$(VENV)/installed-test: setup.py pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --editable '.[test]'
	touch $@
