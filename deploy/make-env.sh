#!/bin/sh
# Writes .env for compose.yml beside this file, once: passwords by chance, and the digest of each image as its registry
# names it now. Read them before you trust them; from then on nothing else is run. DOCKER names another program.
set -eu
umask 077
cd "$(dirname "$0")"
if [ -e .env ]; then
  echo "$(pwd)/.env is there already: remove it to have new passwords and digests" >&2
  exit 1
fi
digest() {
  found=$("${DOCKER:-docker}" buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1") || {
    echo "no digest of $1: that takes docker with buildx, and a registry that answers" >&2
    exit 1
  }
  case "$found" in
    sha256:????????????????????????????????????????????????????????????????) echo "$found" ;;
    *) echo "no digest of $1: ${DOCKER:-docker} said $found" >&2; exit 1 ;;
  esac
}
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
new=$(mktemp .env.XXXXXX)
trap 'rm -f "$new"' EXIT
python=$(digest python:3.11-slim)
postgres=$(digest postgres:17)
valkey=$(digest valkey/valkey:8)
ollama=$(digest ollama/ollama:latest)
cat >"$new" <<END
POSTGRES_PASSWORD=$(password)
REDIS_PASSWORD=$(password)
PYTHON_DIGEST=$python
POSTGRES_DIGEST=$postgres
VALKEY_DIGEST=$valkey
OLLAMA_DIGEST=$ollama
END
mv "$new" .env
trap - EXIT
echo "wrote $(pwd)/.env"
