# `make demo` and `make test` are all that a new user needs; both make .venv and install what they need into it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FIXTURE := fixtures/herefordshire-2021-09-30
AS_OF := 2021-09-30

.PHONY: demo test browser check lint types bench picture docs fixtures mutate soak clean

demo: $(VENV)/installed
	$(BIN)/compliance register $(FIXTURE) --as-of $(AS_OF)

test: check browser
	$(BIN)/python -m pytest -n 2

# The page is tested in Chromium; where there is none and it cannot be installed those tests are skipped.
browser:
	@command -v chromium || command -v chromium-browser || command -v google-chrome \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -qq --no-install-recommends chromium fonts-dejavu-core; } \
	|| echo "no Chromium: the tests of the page in a browser are skipped"

check: lint types
	$(BIN)/compliance rules test

lint: $(VENV)/dev
	$(BIN)/ruff check .

types: $(VENV)/dev
	$(BIN)/mypy

mutate: $(VENV)/dev
	$(BIN)/python -m tests.mutate

soak: $(VENV)/dev
	$(BIN)/python -m pytest tests/oracle --soak 10000

docs: $(VENV)/installed
	$(BIN)/python -m tests.docs

bench: $(VENV)/dev
	$(BIN)/python -m tests.bench

picture: $(VENV)/dev browser
	mkdir -p docs/images
	$(BIN)/compliance register $(FIXTURE) --as-of $(AS_OF) --svg docs/images/register.svg >/dev/null
	$(BIN)/python -m tests.pictures

fixtures: $(VENV)/installed
	$(BIN)/compliance synth --profile herefordshire-2021 --as-of $(AS_OF) --seed 2021 --out $(FIXTURE)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: make PYTHON=python3.11 $@")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/installed
