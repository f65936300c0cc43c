#!/usr/bin/env bash
# Times whole `mirror plan` processes on 1,000 and 10,000 sessions over 10,000 interfaces, before and
# after they are applied, and on as many over sources in 40 VPCs, and counts the calls. Prints one line each: seconds, megabytes, calls.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release --quiet --workspace
cargo build --quiet --workspace --all-targets # what makes the account is not measured
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

measure() { # NAME: a plan of the stack in $folder, the best of five
  local calls best='' line
  calls=$("$target/release/mirror" local log --local="$folder/.mirror/local" | wc -l)
  for _ in 1 2 3 4 5; do
    line=$( { /usr/bin/time -f '%e %M' "$target/release/mirror" plan "$folder" --local="$folder/.mirror/local" >/dev/null; } 2>&1 | tail -n 1)
    if [ -z "$best" ] || [ "$(printf '%s\n%s\n' "$line" "$best" | sort -n | head -n 1)" = "$line" ]; then best=$line; fi
  done
  calls=$(( ($("$target/release/mirror" local log --local="$folder/.mirror/local" | wc -l) - calls) / 5 ))
  echo "$1: ${best% *} s, $(( ${best#* } / 1024 )) MB, $calls calls"
}

run() { # apply or destroy: without it there is nothing to measure
  "$target/release/mirror" "$1" "$folder" --local="$folder/.mirror/local" --auto-approve >"$folder/said" 2>&1 || {
    tail -n 20 "$folder/said"
    exit 1
  }
}

for sessions in 1000 10000; do
  "$target/debug/examples/estate" "$folder" "$sessions"
  measure "$sessions sessions to make"
  run apply
  measure "$sessions sessions in place"
  run destroy
done

rm -rf "$folder/.mirror" "$folder"/*
"$target/debug/examples/estate" "$folder" sources
measure "10000 sources to mirror"
run apply
measure "10000 sources that are mirrored"
