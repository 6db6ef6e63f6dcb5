# One command per action, the same for people and CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: run check test coverage lint types mutants bench screenshots chat-screens chaos lock clean

run: $(READY)
	$(BIN)/deskhand demo

# The inner loop, within a minute: mypy looks at what changed, and no test starts a server, a browser or a desk.
check: lint types
	$(PYTEST) --quiet tests/unit $(ARGS)

test: $(READY) browser
	$(BIN)/python -m tests.support.line_counts
	$(PYTEST) --durations=10 $(ARGS)

# The same under a tracer, which makes everything slower: which lines no test reaches.
coverage: $(READY) browser
	$(PYTEST) --cov --cov-report=term:skip-covered $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

# Changes one thing at a time in the modules that decide, and prints what no test notices; ARGS="--sample 300 --seed 2".
mutants: $(READY)
	$(BIN)/python -m tests.mutation $(ARGS)

bench: $(READY)
	$(BIN)/python -m bench

# Minutes of crashes, cut connections and failing models over both columns; ARGS=embedded or postgres for one of them.
chaos: $(READY)
	$(BIN)/python -m tests.chaos $(ARGS)

screenshots: $(READY) browser
	$(BIN)/python -m docs.tools.screenshots

# Needs a font with emoji, such as Debian's fonts-noto-color-emoji.
chat-screens: $(READY) browser
	$(BIN)/python -m docs.tools.chat_screens

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Deskhand needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)

# The browser tests need Chromium: the machine's own, else Debian's package as root, else Playwright's download.
.PHONY: browser
browser: $(READY)
	$(BIN)/python -m tests.support.browser

# Needs uv; only after a change of the dependencies in pyproject.toml.
lock:
	uv pip compile --universal --generate-hashes --all-extras --no-emit-index-url --no-header --python-version 3.11 pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .venv313 mutants .mypy_cache .ruff_cache .pytest_cache .coverage
