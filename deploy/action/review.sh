#!/usr/bin/env bash
# The step of action.yml that reviews; its inputs are ACTION_*.
set -euo pipefail
umask 077
hob=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.venv/bin/hob
python=${hob%/hob}/python

fail() {
  echo "::error title=Hob::$1"
  exit "${2:-1}"
}

[ -n "$ACTION_BASE" ] || fail "no pull request here: give the input base the commit that the change is against"
for commit in "$ACTION_BASE" "$ACTION_HEAD"; do
  [[ $commit =~ ^[A-Za-z0-9_][A-Za-z0-9_./-]*$ ]] || fail "base and head are commits or branches"
  git cat-file -e "$commit^{commit}" 2>/dev/null \
    || fail "commit $commit is not in this clone: check out with fetch-depth: 0"
done

# The tree that was checked out is a stranger's: no hob.toml of it counts, and nothing of it is run.
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/hob.XXXXXX")
trap 'rm -rf "$work"' EXIT
export HOB_HOB__DATA_DIR=$work/data HOB_CONFIG=${ACTION_CONFIG:-$work/hob.toml}
models=()
if [ -z "$ACTION_CONFIG" ]; then
  [ -n "$ACTION_HOST" ] || models=(--no-model)
  "$python" -I - >"$HOB_CONFIG" <<'PY'
import json, os, re

given = {name: os.environ[f"ACTION_{name}"] for name in ("HOST", "KIND", "MODELS", "ONLINE", "KEY")}
quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in given.items()}
models = [name for name in re.split(r"[\s,]+", given["MODELS"]) if name]
if given["HOST"]:
    print(f"[privacy]\nonline = {quoted['ONLINE']}")
    if models:
        print(f"[models]\nreview = {json.dumps(models, ensure_ascii=False)}")
    print(f"[[hosts]]\nname = \"host\"\nkind = {quoted['KIND']}\nurl = {quoted['HOST']}")
    print(f"online = {str(given['ONLINE'] != 'never').lower()}")
    if given["KEY"]:
        print('api_key_env = "ACTION_KEY"')
PY
fi

# What is said may hold words of the change, which the runner would take for commands.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
code=0
"$hob" review "$ACTION_BASE..$ACTION_HEAD" ${models[@]+"${models[@]}"} --format sarif \
  --fail-on "$ACTION_FAIL_ON" >"$work/sarif" || code=$?
echo
echo "::$token::"

findings=0
if [ -s "$work/sarif" ]; then
  findings=$("$python" -I -c 'import json, sys; print(sum(len(run["results"]) for run in json.load(sys.stdin)["runs"]))' <"$work/sarif")
  umask 022
  mkdir -p "$(dirname "$ACTION_SARIF")"
  cat "$work/sarif" >"$ACTION_SARIF"
  printf 'sarif=%s\nfindings=%s\n' "$ACTION_SARIF" "$findings" >>"$GITHUB_OUTPUT"
fi
echo "findings: $findings"
case $code in
  0) ;;
  3) fail "a finding is $ACTION_FAIL_ON or worse" 3 ;;
  *) fail "hob review ended with $code; what it said is above" "$code" ;;
esac
