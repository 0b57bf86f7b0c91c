# The two commands of README.rst: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: install demo test test-all fuzz lint types format bench docs clean

install: $(STAMP)

$(STAMP): setup.cfg setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[tensorflow,tflite,onnx,openvino,survey,test,docs,dev]'
	touch $(STAMP)

# What runs TensorFlow.js models in tests: npm packages at the versions of tests/package-lock.json, where there is npm.
tests/node_modules/.package-lock.json: tests/package-lock.json
	if command -v npm >/dev/null; then npm ci --prefix tests --ignore-scripts --no-audit --no-fund --silent; \
	else echo 'no npm: the tests that run TensorFlow.js are skipped'; fi

demo: install
	$(BIN)/graphscope demo

test: install tests/node_modules/.package-lock.json
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow'

test-all: install tests/node_modules/.package-lock.json
	$(BIN)/python -m pytest -n 2 --dist worksteal

# A minute of damaged and hostile files through the whole chain; --minutes 60 is what a release wants.
fuzz: install
	$(BIN)/python tests/fuzz/run.py --minutes 1 --seed 1

lint: install
	$(BIN)/black --check --quiet . || { echo 'run: make format'; exit 1; }
	$(BIN)/isort --check --quiet .
	$(BIN)/flake8 graphscope tests benchmarks tools

types: install
	$(BIN)/mypy

format: install
	$(BIN)/black --quiet .
	$(BIN)/isort --quiet .

bench: install
	for each in $(filter-out benchmarks/pairs.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$each || exit 1; done

docs: install
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build

clean:
	rm -rf .venv build dist *.egg-info docs/_build
