#!/usr/bin/env bash
# clang-tidy over the sources, by the repository's own .clang-tidy. Needs a configured release build.
#   scripts/tidy.sh                   every source
#   scripts/tidy.sh wire task         these rooms of src/ alone
#   scripts/tidy.sh --but wire task   all the others
set -euo pipefail
cd "$(dirname "$0")/.."
patterns=('src/*.cpp')
if [[ ${1:-} == --but ]]; then
  for room in "${@:2}"; do patterns+=(":!src/$room/*"); done
elif (($#)); then
  patterns=()
  for room in "$@"; do patterns+=("src/$room/*.cpp"); done
fi
git ls-files "${patterns[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-16 -p build/release --quiet 2> >(grep -v 'warnings generated' >&2)
