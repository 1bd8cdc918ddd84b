#!/bin/sh
# The program of .pre-commit-hooks.yaml: hob of this clone, installed by hashes at the first call. pre-commit itself would
# install what the packages' index names at that time.
set -eu
clone=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
env -u GIT_DIR -u GIT_INDEX_FILE -u GIT_WORK_TREE -u MAKEFLAGS -u MAKELEVEL make --silent -C "$clone" install >&2
exec "$clone/.venv/bin/hob" "$@"
