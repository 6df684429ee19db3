# `make help` lists what there is. All of it works in a fresh clone: what is missing is set up below .venv/.

PYTHON ?= python3
BIN := .venv/bin
PYTEST = $(BIN)/pytest $(PYTEST_FLAGS)
JOB := corpus/slurm/train-8-gpus/input.sbatch
# Several processes for each core, since many tests wait for what they have started; who is ready takes from who is not.
# (Each collects all tests first, which takes five seconds of a core.) Those that take minutes keep the cores busy alone.
CORES = $(shell nproc 2>/dev/null || echo 2)
test: PYTEST_FLAGS ?= -n $(shell echo $$((3 * $(CORES)))) --dist worksteal
test-slow test-uml fuzz: PYTEST_FLAGS ?= -n $(shell echo $$((2 * $(CORES)))) --dist worksteal
# In a fresh clone the bytecode of flowc, and pytest's own form of each test, are made ahead, once: the processes would all
# make it at the same time, and those that tests start write none.
BYTECODE = { echo "preparing the tests"; $(BIN)/python -m compileall -q flowc; ls -d tests/*/ | xargs -n 12 -P 4 $(BIN)/pytest -q --collect-only >/dev/null || :; }
# `docker and not long` leaves out half of the minutes.
DOCKER ?= docker

# Who has Python write no bytecode has each process of the tests compile pytest's plugins again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-boot test-docker test-uml test-supervisor test-prism test-slow test-frameworks same-as-slurm step-sets differential fuzz faults bench lint generate clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \2/p' Makefile | awk '{printf "  %-5s%-16s", $$1, $$2; $$1=$$2=""; print}'

demo: .venv/installed ## compile a real job; show its diagnostics, plan, request and startup script
	@$(BIN)/python tests/demo.py $(JOB)

# Each installs the Debian packages that its tests need (root), or names them: tests/packages.txt.
test: .venv/developed ## all tests that take seconds; root has missing programs installed, others are told
	@tests/install_packages test
	@[ -e tests/__pycache__ ] || $(BYTECODE)
	$(PYTEST) -m "not boot and not slow and not uml and not docker and not prism and not frameworks" tests

test-boot: .venv/developed ## startup scripts on a real systemd, with a reboot (root, minutes)
	@tests/install_packages boot
	$(BIN)/pytest -m boot tests

test-uml: .venv/developed ## block volumes over reboots and power cuts, with a kernel of their own (root, 10 minutes)
	@tests/install_packages boot uml
	$(PYTEST) -m uml tests

test-supervisor: .venv/developed ## 20,000 jobs whose end falls together with something else, under load (an hour)
	$(BIN)/python -m tests.supervisor --count 20000

test-docker: .venv/developed ## container jobs on a real docker on a real systemd (root, minutes)
	@tests/install_packages docker
	$(BIN)/pytest -m "$(DOCKER)" tests/docker

# In a folder that is gone afterwards.
test-prism: .venv/developed ## the client against a mock that Prism makes of the provider's document (node, npm)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	  npm install --silent --no-audit --no-fund --prefix "$$folder" @stoplight/prism-cli@5.14.2 && \
	  PRISM="$$folder/node_modules/.bin/prism" $(BIN)/pytest -m prism tests/providers

test-slow: .venv/developed ## tests that take minutes
	@tests/install_packages test
	$(BIN)/pytest $(PYTEST_FLAGS) -m slow tests

test-frameworks: .venv/developed ## launchers and frameworks from PyPI, on a real Slurm and under flowc; a table (root, network, minutes)
	@tests/install_packages test
	$(BIN)/pytest -m frameworks tests/frameworks

same-as-slurm: .venv/developed ## the job bodies on a real Slurm and under flowc (root, 3 minutes); FLAGS=--update keeps what Slurm did
	@tests/install_packages test
	$(BIN)/python -m tests.same_as_slurm --real $(FLAGS)

step-sets: .venv/developed ## 500 generated sets of background steps on a real Slurm and under flowc (root, 8 minutes)
	@tests/install_packages test
	$(BIN)/python -m tests.step_sets $(FLAGS)

differential: .venv/developed ## 20,000 generated scripts through the real sbatch and through flowc
	@tests/install_packages test
	$(BIN)/python -m tests.differential --count 20000

fuzz: .venv/developed ## the fuzz tests with a hundred times the examples; how the time grows with the input
	$(PYTEST) --hypothesis-profile=long tests/fuzz
	$(BIN)/python -m tests.fuzz.growth
	$(BIN)/python -m tests.fuzz.expressions

faults: .venv/developed ## 2,000 submissions that are cut at every moment: each bid once, none lost (40 minutes)
	$(BIN)/python -m tests.faults --count 2000
	$(BIN)/python -m tests.faults --graphs 400

bench: .venv/developed ## start-up and throughput, as ratios within one run; BASE=commit compares with that one
	$(BIN)/python -m tests.bench $(if $(BASE),--base $(BASE)) $(FLAGS)

lint: .venv/developed ## ruff, its formatter and mypy; whether what is made ahead is fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m flowc.ahead --check

generate: .venv/developed ## compile grammars/, templates/ and flowc/data/ into flowc/_compiled/
	$(BIN)/python -m flowc.ahead

clean: ## remove what make made
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f flowc/scripts/packing/*.so
	find flowc tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian ships python3 without the module that makes virtual environments; root can install it, others are told.
.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "flowc needs Python 3.11 or newer; say which one: make PYTHON=python3.11" >&2; exit 1; }
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing python3-venv"; apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; \
	  else echo "$(PYTHON) has no venv module; on Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; fi; fi
	@rm -rf .venv && $(PYTHON) -m venv .venv

# Compiled to bytecode at once, as an ordinary installation is: the first command should not be the slow one.
.venv/installed: pyproject.toml flowc/scripts/packing/_mixing.c | .venv/bin/pip
	@echo "installing flowc into .venv" && $(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m compileall -q flowc && touch $@

.venv/developed: pyproject.toml | .venv/bin/pip
	@echo "installing flowc and the tools of its developers into .venv"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/python -m compileall -q flowc && touch $@ .venv/installed
