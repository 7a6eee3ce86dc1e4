#!/usr/bin/env bash
# From a fresh clone to a script's result out of a real browser: installs what is missing, builds, starts the daemon,
# opens a headless Chromium with the extension, runs one example, says what happened. Leaves nothing running.
# ANY_BINARY: a program that is built already.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }
if [[ ! -t 2 ]]; then say() { printf '\n%s\n' "$*" >&2; }; fi

say "1. Installing what is missing (the first time a few minutes)"
scripts/install-deps.sh

say "2. Building (the first time a few minutes)"
log=$(mktemp)
any=${ANY_BINARY:-$PWD/build/quickstart/any}
if [[ -z ${ANY_BINARY:-} ]] && ! { cmake --preset release -DANY_TESTS=OFF -B build/quickstart && cmake --build build/quickstart --target any; } >"$log" 2>&1; then
  tail -30 "$log" >&2
  exit 1
fi
rm -f "$log"
any=$(realpath "$any")

work=$(mktemp -d)
daemon='' browser=''
clean_up() {
  [[ -n $browser ]] && kill "$browser" 2>/dev/null && wait "$browser" 2>/dev/null
  [[ -n $daemon ]] && kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
  rm -rf "$work"
  true
}
trap clean_up EXIT
trap 'exit 130' INT TERM

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) pages=$(free_port)
# Nothing of yours is read or touched: Chromium writes into a home and leaves its lock's folder in TMPDIR.
export HOME=$work TMPDIR=$work XDG_CONFIG_HOME=$work/config XDG_CACHE_HOME=$work/cache
export ANY_STATE_DIR=$work/state ANY_DAEMON=http://127.0.0.1:$port

say "3. Starting the daemon (a state folder and ports of its own, so that nothing of yours is touched)"
"$any" serve --listen "127.0.0.1:$port" --compat-port 0 --pages "$pages" --log-file "$work/daemon.log" &
daemon=$!

until "$any" browsers >/dev/null 2>&1; do
  kill -0 "$daemon" 2>/dev/null || { cat "$work/daemon.log" >&2; exit 1; }
  sleep 0.05
done

say "4. Opening a headless Chromium with the extension"
"$any" launch --headless --wait --profile "$work/profile" "http://127.0.0.1:$pages/shop.html" >"$work/linked" &
browser=$!
until [[ -s $work/linked ]]; do # it says so once the link stands and the page is open
  kill -0 "$browser" 2>/dev/null || { cat "$work"/profile/any-launch.log >&2; exit 1; }
  sleep 0.05
done

say "5. any run examples/scripts/page_facts.js"
"$any" run examples/scripts/page_facts.js --tab "http://127.0.0.1/*"

cat >&2 <<TEXT

What just happened: the daemon wrote the task to disk, the extension in that Chromium ran the script in the page's own world, and its
result, printed above as JSON, was on disk before you saw it. Chromium and the daemon are being ended now.

In your own browser:
  export PATH="$PWD/build/quickstart:\$PATH"
  any extension                       # writes the extension's files and prints the folder, then three clicks:
      chrome://extensions  →  Developer mode on  →  Load unpacked  →  that folder
  any run examples/scripts/page_facts.js      # in the tab you look at; starts the daemon if none runs
  any doctor                          # if anything is not as it should be
TEXT
