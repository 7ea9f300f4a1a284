# make demo: install into .venv and run the main example.
# make cowriter: install, train on Moby Dick, and open a page that writes with you.
# make test: install, then run lint, type checks and tests.
# make docs: install, then build the documentation into docs/_build/html.
# make check-docs: look for errors on the built pages, in Chromium.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OLDEST_TESTS ?= $(addprefix tests/,_core _data _training supervised forecasting text \
	preprocessing energy streaming metrics model_selection test_common.py)
NAMES ?= "Miyazaki Hayao" "Giulia Rossellini" "Nguyen Van Minh" "Olga Petrova"

.PHONY: demo cowriter test docs check-docs lint types check coverage test-slow test-oldest
.PHONY: test-clients benchmarks bench-quick dist clean

demo: $(VENV)/.demo
	$(BIN)/python examples/classification/plot_names.py $(NAMES)

cowriter: $(VENV)/.demo
	mkdir -p build
	$(BIN)/python examples/cowrite.py --epochs 5 --prompt "It was the" \
		--model build/moby_dick.skrnn --page build/cowriter.html

test: $(VENV)/.dev lint types check

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

# EXTERNAL=--external also requests the links to other sites
check-docs: docs $(VENV)/.browser
	$(BIN)/python tools/check_pages.py $(EXTERNAL)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

check: $(VENV)/.dev
	SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -n 2

coverage: $(VENV)/.release
	SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -n 2 --cov=sklearn_rnn --cov-fail-under=98

test-slow: $(VENV)/.dev
	SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -m slow

# run a part of the tests with the lowest versions that pyproject.toml allows
test-oldest: .venv-oldest/.installed
	SCIPY_ARRAY_API=1 .venv-oldest/bin/python -m pytest -n 2 $(OLDEST_TESTS)

# run the tests with other libraries, each in a separate environment; with
# CLIENTS="mapie skops" only those
test-clients: $(VENV)/.dev
	$(BIN)/python tests/clients/run.py .venv-clients \
		$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') $(CLIENTS)

benchmarks: $(VENV)/.dev
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script; done
	$(BIN)/python benchmarks/report.py

# five minutes: speed and what needs no data folder; results go to build/benchmarks
QUICK := "fit" "predict" "stream" "first_fit" "hopfield --jobs letters bits speed" \
	"intervals --jobs ideal paths" "translator --jobs training"
bench-quick: $(VENV)/.dev
	for job in $(QUICK); do SKLEARN_RNN_RESULTS=build/benchmarks \
		$(BIN)/python benchmarks/bench_$${job%% *}.py \
		$$(case "$$job" in *" "*) echo $${job#* };; esac) || exit 1; done

# build and check the archives, install the wheel into a new environment, fit a model
dist: $(VENV)/.release
	rm -rf dist
	$(BIN)/python -m build -q
	$(BIN)/python -m twine check --strict dist/*
	$(PYTHON) -m venv --clear .venv-wheel
	.venv-wheel/bin/python -m pip install -q -c constraints.txt dist/*.whl
	cd .venv-wheel && bin/python ../tools/smoke_test.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[fast,plot,progress]"
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test,fast,plot,progress]"
	touch $@ $(VENV)/.demo

$(VENV)/.release: $(VENV)/.dev
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[release]"
	touch $@

.venv-oldest/.installed: tests/oldest.txt pyproject.toml
	$(PYTHON) -m venv --clear .venv-oldest
	.venv-oldest/bin/python -m pip install -q -r tests/oldest.txt
	.venv-oldest/bin/python -m pip install -q --no-deps -e .
	touch $@

$(VENV)/.docs: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[docs]"
	touch $@

$(VENV)/.browser: $(VENV)/.docs
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[browser]"
	touch $@

clean:
	rm -rf docs/_build docs/generated docs/auto_examples docs/images/generated
	rm -rf $(VENV) .venv-clients .venv-oldest .venv-wheel build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
