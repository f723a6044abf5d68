# Everything that these targets need they install themselves, below this folder.
#   make demo    one dropped file to a sealed archive, measured figures beside the truth
#   make test    all tests, with the real harness
#   make e2e     tests on a real Kubernetes, which it builds and starts (as root, without an engine)
#                E2E="tests/e2e/test_main.py -x" runs some of them
#                E2E_KUBECONFIG=FILE uses a given cluster, CLUSTER=kind one made by kind
#   make cluster-up, cluster-down    that Kubernetes for your own use
#   make check   lint, types, floors, spelling, lock, coverage of core and kit, wheel
#   make fix     what can be mended by itself
#   make bench   the figures of docs/performance.md; bench-kube those of a cluster, as root
#   make sim     the simulation of a bad world, with many more histories

PYTHON ?= python3
export LLMDBENCHD_HARNESS_VENVS ?= $(CURDIR)/.harness
RUN = $(UV) run --frozen --quiet

# A given uv, one that lies beside us, or one that pip brings.
UV ?= $(shell command -v uv 2>/dev/null || echo $(CURDIR)/.tools/bin/uv)

# Tests at once: as many as there are cores.
AT_ONCE ?= auto

HARNESSES = inference-perf aiperf guidellm

.PHONY: demo test check fix bench bench-kube sim e2e cluster-up cluster-down clean

demo: .venv/ready .harness/inference-perf/ready
	@$(RUN) python scripts/demo.py

test: .venv/ready $(HARNESSES:%=.harness/%/ready)
	$(RUN) pytest -q -n $(AT_ONCE) --dist worksteal -m "not kube" $(TESTS)

CLUSTER_TOOL = $(RUN) python -m tests.cluster
KIND_CONFIG = $(CURDIR)/.kind-kubeconfig
E2E ?=
IN_CLUSTER = sh tests/e2e/run.sh $(E2E)

cluster-up: .venv/ready .harness/inference-perf/ready
	@$(CLUSTER_TOOL) up

cluster-down: .venv/ready
	@$(CLUSTER_TOOL) down

e2e: .venv/ready .harness/inference-perf/ready
ifeq ($(CLUSTER),kind)
	@sh tests/cluster/kind.sh up $(KIND_CONFIG) && \
		E2E_KUBECONFIG=$(KIND_CONFIG) $(RUN) $(IN_CLUSTER); code=$$?; \
		sh tests/cluster/kind.sh down $(KIND_CONFIG); exit $$code
else ifneq ($(E2E_KUBECONFIG),)
	$(RUN) $(IN_CLUSTER)
else
	@$(CLUSTER_TOOL) up --fresh
	@$(CLUSTER_TOOL) exec -- $(IN_CLUSTER); code=$$?; $(CLUSTER_TOOL) down; exit $$code
endif

check: .venv/ready
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) codespell
	$(UV) lock --check --quiet
	$(RUN) pytest -q --no-header -n $(AT_ONCE) --dist worksteal --cov=llmdbenchd.core --cov=llmdbenchd.kit --cov-branch \
		--cov-fail-under=100 tests/core tests/kit tests/controllers tests/sim
	sh scripts/check-wheel.sh "$(UV)"

fix: .venv/ready
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
	$(RUN) python scripts/draw_phases.py
	$(RUN) python scripts/draw_job_fields.py

bench: .venv/ready
	$(RUN) python -m bench.run

BENCH_KUBE ?=

bench-kube: .venv/ready .harness/inference-perf/ready
	$(RUN) python -m bench.kube $(BENCH_KUBE)

sim: .venv/ready
	SIM_EXAMPLES=2000 $(RUN) pytest -q -o timeout=0 tests/sim

# --- set-up -------------------------------------------------------------------------------

# The interpreter itself: a version manager's shim would answer differently in other folders.
INTERPRETER = $(shell $(PYTHON) -c 'import sys; print(sys.executable)')

$(CURDIR)/.tools/bin/uv:
	@echo "no uv found: installing one into .tools"
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install --quiet --disable-pip-version-check uv

.venv/ready: $(filter $(CURDIR)/.tools/bin/uv,$(UV)) pyproject.toml uv.lock
	@echo "installing the project into .venv"
	@$(UV) sync --frozen --quiet --python $(INTERPRETER)
	@touch $@

.harness/%/ready: harnesses/install.sh harnesses/%/requirements.txt | .venv/ready
	@echo "installing the real harness $* into .harness (400 to 900 MB)"
	@sh harnesses/install.sh $(UV) $(CURDIR)/.venv/bin/python $* .harness/$*

clean:
	rm -rf .venv .tools .harness .demo dist
