# `make demo` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
# Processes that run the tests.
JOBS ?= 2
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test lint slow android fuzz bench parity docs format clean

demo: $(VENV)/installed
	$(VENV)/bin/hashnet demo

test: $(VENV)/installed-test
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist=worksteal -m "not slow"

# pyright fetches the program it stands for from npm the first time.
lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright --pythonpath $(VENV)/bin/python

slow: $(VENV)/installed-test
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist=worksteal -m slow

# The Kotlin, for which npm has the compiler and Debian Android's JSON.
android: $(VENV)/installed-test
	mkdir -p build/kotlin
	npm install --silent --no-audit --no-fund --prefix build/kotlin \
		kotlin-compiler@2.2.21
	apt-get update -qq || true
	cd build/kotlin && apt-get download -qq libandroid-json-java && \
		dpkg-deb -x libandroid-json-java_*.deb .
	HASHNET_TF_KOTLIN=$(CURDIR)/build/kotlin $(VENV)/bin/python -m pytest \
		tests/android -m slow

# Some minutes of random damage; HASHNET_TF_FUZZ_SEED=n for other damage.
fuzz: $(VENV)/installed-test
	HASHNET_TF_FUZZ=$${HASHNET_TF_FUZZ:-4} $(VENV)/bin/python -m pytest tests/fuzz -m slow

bench: $(VENV)/installed-test
	for file in benchmarks/*.py; do $(VENV)/bin/python $$file || exit 1; done

# The bits of every format and runtime, beside Keras. For all rows: chromium,
# npm, a JDK, and what `make android` fetches.
parity: $(VENV)/installed-test
	$(VENV)/bin/python benchmarks/parity.py

# The pictures and the table of protocols, anew.
docs: $(VENV)/installed
	$(VENV)/bin/python docs/draw_pictures.py
	$(VENV)/bin/python docs/write_tables.py

format: $(VENV)/installed-test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: setup.py pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --editable '.[serve]'
	touch $@

$(VENV)/installed-test: setup.py pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --editable '.[test]'
	touch $@
