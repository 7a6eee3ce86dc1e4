#!/usr/bin/env bash
# Sets up everything and runs every test. A plain summary ends it: one line a step, then "N passed, N failed".
#   scripts/test.sh            all
#   scripts/test.sh --quick    without the sanitizers and the long fault tests
#   scripts/test.sh --changed [REVISION]   what a change since REVISION can break (scripts/changed.py; default: since this branch left main)
set -uo pipefail
cd "$(dirname "$0")/.."
quick=${1:-}
declare -A chosen=()  # with --changed: step → the tests that are enough; empty: all of them
everything=1
if [[ $quick == --changed ]]; then
  lines=$(python3 scripts/changed.py "${@:2}") || exit 1
  if [[ $lines != all ]]; then
    everything=0
    while read -r name tests; do chosen[$name]=$tests; done <<<"dependencies
$lines"
  fi
fi
logs=build/test-logs
mkdir -p "$logs"
names=() verdicts=() times=()

wanted() { ((everything)) || [[ -v chosen[$1] ]]; }
step() { # step NAME COMMAND…: runs it with its output in a log, shown whole where it fails
  local name=$1 started=$SECONDS
  shift
  wanted "$name" || return 0
  if [[ $1 == tests* && -n ${chosen[$name]:-} ]]; then
    # shellcheck disable=SC2086 -- patterns of files, to be expanded
    set -- "$1" ${chosen[$name]}
  fi
  printf '== %s\n' "$name"
  if "$@" >"$logs/$name.log" 2>&1; then
    verdicts+=(passed)
    tail -n 3 "$logs/$name.log"
  else
    verdicts+=(FAILED)
    tail -n 400 "$logs/$name.log"
  fi
  names+=("$name") times+=($((SECONDS - started)))
}

summary() {
  local passed=0 failed=0 i
  printf '\n'
  for i in "${!names[@]}"; do
    printf '%-24s %-7s %4d s\n' "${names[$i]}" "${verdicts[$i]}" "${times[$i]}"
    if [[ ${verdicts[$i]} == passed ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  printf 'in %d s; logs in %s\n%d passed, %d failed\n' "$SECONDS" "$logs" "$passed" "$failed"
  exit $((failed > 0))
}

build() { cmake --preset "$1" && cmake --build --preset "$1"; }
sanitized() { # sanitized PRESET TARGET…: builds those tests with the sanitizer and runs them
  local preset=$1 name
  shift
  cmake --preset "$preset" && cmake --build --preset "$preset" --target "$@" || return 1
  for name in "$@"; do
    "build/$preset/tests/$name" --gtest_brief=1 || return 1
  done
}
fuzzed() { # fuzzed TARGET…: a few seconds each, on top of what is in fuzz/seeds
  cmake --preset fuzz && cmake --build --preset fuzz --target "${@/#/fuzz_}" || return 1
  local name
  for name in "$@"; do
    mkdir -p "build/fuzz/corpus/$name"
    find "fuzz/seeds/$name" -type f -exec cp -t "build/fuzz/corpus/$name" {} + 2>/dev/null
    "build/fuzz/fuzz/fuzz_$name" -max_total_time=4 -max_len=2000 -artifact_prefix=build/fuzz/ "build/fuzz/corpus/$name" || return 1
  done
}
format() { git ls-files 'src/*.?pp' 'include/*.hpp' 'tests/*.?pp' 'bench/*.?pp' 'fuzz/*.?pp' | xargs -r clang-format-16 --dry-run -Werror; }
venv() { PATH="$PWD/build/venv/bin:$PATH" "$@"; }
# Each test has a daemon, a browser and a folder of its own: two files at a time, as there are two cores.
tests() { some python -m pytest -q -n 2 --dist loadfile "$@"; }
some() { # of chosen tests it may be that none is to run here, which is pytest's 5
  venv "$@"
  local result=$?
  return $((result == 5 && !everything ? 0 : result))
}

declare -A aside=()
begin_aside() { # begin_aside NAME COMMAND…: what does nothing but wait for minutes goes on beside the steps
  local name=$1
  shift
  (PATH="$PWD/build/venv/bin:$PATH" exec "$@") >"$logs/$name.part" 2>&1 &
  aside[$name]=$!
}
end_of() { # end_of NAME: its output, and how it ended
  wait "${aside[$1]}"
  local result=$?
  ((result == 5 && !everything)) && result=0
  cat "$logs/$1.part"
  return "$result"
}
tests_and_waits() { # those whose time is spent waiting run beside the others
  local result=0
  begin_aside waiting python -m pytest -q -n 4 -m waits "$@"
  tests -m 'not waits' "$@" >"$logs/working.part" 2>&1 || result=1
  end_of waiting || result=1
  cat "$logs/working.part"
  return "$result"
}
trap 'jobs -p | xargs -r kill 2>/dev/null' EXIT

step dependencies scripts/install-deps.sh --test
[[ ${verdicts[0]} == passed ]] || summary
step layers python3 scripts/check_layers.py
step format format
step build build release
[[ ${verdicts[-1]} == passed ]] || summary
step unit ctest --preset release
# shellcheck disable=SC2086 -- names of rooms
step tidy scripts/tidy.sh ${chosen[tidy]:-wire task}
step extension-checks npm run --silent check
step python-types venv mypy --strict python/anytab
wanted late-daemon && begin_aside late-daemon python bench/late_daemon.py 5
[[ $quick == --quick ]] || ! wanted long-task || begin_aside long-task python bench/long_task.py 10
step daemon tests_and_waits tests/daemon tests/python
step extension tests_and_waits tests/extension
step end-to-end tests_and_waits tests/e2e
step late-daemon end_of late-daemon
if [[ $quick != --quick ]]; then
  step faults tests_and_waits tests/faults
  step conformance tests tests/conformance
  step long-task end_of long-task
  step conformance-page venv python tests/conformance/table.py --check
  step sanitizers-memory sanitized asan unit_base unit_async unit_wire unit_task unit_cdp unit_net unit_service store_suite contracts sim
  step fuzz fuzzed strict_json envelope http_request cdp_command cdp_gateway
  step sanitizers-threads sanitized tsan store_suite unit_browser unit_service
fi
summary
