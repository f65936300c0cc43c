#!/usr/bin/env bash
# The whole story on a local AWS: plan, apply, plan again, change, destroy. No account, no network.
# With MIRROR=/path/to/mirror it runs that program instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${MIRROR:-}" ]; then
  # All of it, with the features that the tests have: `cargo test --workspace` then builds no more.
  cargo build --quiet --workspace --all-targets
  MIRROR=$(cargo metadata --format-version 1 --no-deps |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/mirror
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

step() { printf '\n\033[1m# %s\033[0m\n' "$1" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }
run() {
  printf '$ mirror %s\n' "$*"
  "$MIRROR" "$@" 2>&1
}

step 'A stack file: the set-up of the usual guide, without its mistakes.'
run init
step 'What would it make?'
run plan --local
step 'Make it.'
run apply --local --auto-approve
step 'Is there anything left to do? Exit code 0 says no.'
run plan --local --detailed-exitcode
step 'Mirror SSH on another port too: one rule of the filter changes, in place.'
sed -i.before 's/port = 22 },$/port = "22-23" },/' lab.mirror.hcl
diff lab.mirror.hcl.before lab.mirror.hcl || true
run plan --local
run apply --local --auto-approve
step 'Another load balancer: the session moves over before the old one goes, so no packet is missed.'
sed -i.before 's/scheme    = "internal"/scheme    = "internet-facing"/' lab.mirror.hcl
diff lab.mirror.hcl.before lab.mirror.hcl || true
run plan --local
run apply --local --auto-approve
step 'Away with it.'
run destroy --local --auto-approve
step 'Nothing is left.'
run show --local
