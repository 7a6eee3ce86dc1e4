#!/usr/bin/env bash
# clang-tidy over the sources, by the repository's own .clang-tidy. Needs a configured release build.
#   scripts/tidy.sh                 every source
#   scripts/tidy.sh wire task       these rooms of src/ alone (CI: the pure ones, a minute; all of it takes ten)
set -euo pipefail
cd "$(dirname "$0")/.."
patterns=('src/*.cpp')
if (($#)); then
  patterns=()
  for room in "$@"; do patterns+=("src/$room/*.cpp"); done
fi
mapfile -t files < <(git ls-files "${patterns[@]}")
tidy() { xargs -r -P "$(nproc)" -n 1 clang-tidy-16 -p build/release --quiet "$@" 2> >(grep -v 'warnings generated' >&2); }
result=0
{ grep -L co_await "${files[@]}" || true; } | tidy || result=1
# The analyzer does not follow coroutines: each co_await may look to it like the use of something that was never made.
{ grep -l co_await "${files[@]}" || true; } | tidy --checks='-clang-analyzer-*' || result=1
exit "$result"
