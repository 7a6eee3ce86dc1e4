#!/usr/bin/env bash
# Installs what the project needs on a fresh Debian 12, Debian 13 or Ubuntu 24.04: to build, and with --test also to test (Debian 12).
# A|B: packages that give the same, whichever of them the system has.
# Does nothing, in well under a second, where all is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

build=("clang-16|clang-17|clang-18|clang-19|clang-20|clang" mold ccache cmake ninja-build pkg-config
  "libboost1.81-dev|libboost1.83-dev|libboost1.88-dev|libboost-dev"
  "libboost-json1.81-dev|libboost-json1.83-dev|libboost-json1.88-dev|libboost-json-dev"
  libsimdjson-dev libsqlite3-dev libspdlog-dev libfmt-dev libcli11-dev
  libtomlplusplus-dev libssl-dev zlib1g-dev libgtest-dev libgmock-dev python3 chromium chromium-sandbox)
test=(libclang-rt-16-dev llvm-16 clang-tidy-16 clang-format-16 libbenchmark-dev python3-venv xvfb strace openssl curl
  sqlite3 fonts-liberation util-linux iproute2 libfaketime chromium-driver)

want=("${build[@]}")
if [[ ${1:-} == --test ]]; then
  want+=("${test[@]}")
  command -v node >/dev/null || want+=(nodejs)
  command -v npm >/dev/null || want+=(npm)
fi

installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }
missing=()
for wish in "${want[@]}"; do
  IFS='|' read -ra packages <<<"$wish"
  for package in "${packages[@]}"; do
    installed "$package" && continue 2
  done
  missing+=("$wish")
done

to_be_had() { # to_be_had A|B…: the first of them that the package lists have
  local package packages
  IFS='|' read -ra packages <<<"$1"
  for package in "${packages[@]}"; do
    # apt-cache show knows packages too that others only mention.
    LC_ALL=C apt-cache policy "$package" 2>/dev/null | grep 'Candidate: [^(]' >/dev/null && break
  done
  echo "$package"
}

if ((${#missing[@]})); then
  as_root=()
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || { echo "install-deps: run as root, or install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  echo "install-deps: installing ${missing[*]}" >&2
  log=$(mktemp)
  packages=()
  if ! { "${as_root[@]}" apt-get update && for wish in "${missing[@]}"; do packages+=("$(to_be_had "$wish")"); done &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    echo "install-deps: apt-get could not install all of: ${missing[*]} (its last lines are above)" >&2
    exit 1
  fi
  rm -f "$log"
fi

venv() { # venv FOLDER REQUIREMENTS: made anew where the list has changed
  local stamp
  stamp=$1/.installed-$(sha256sum "$2" | cut -c1-16)
  [[ -f $stamp ]] && return
  python3 -m venv --clear "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
  touch "$stamp"
}

node_modules() { # node_modules FOLDER: as its package-lock.json says
  [[ $1/package-lock.json -nt $1/node_modules/.package-lock.json ]] || return 0
  npm ci --silent --no-audit --no-fund --prefix "$1"
}

if [[ ${1:-} == --test ]]; then
  jobs=()
  venv build/venv scripts/requirements-test.txt & jobs+=($!)
  venv build/venv-programs scripts/requirements-programs.txt & jobs+=($!)  # programs that bring their own CDP client
  for version in 0 3 4; do  # Python Stagehand: each wants other versions of what they share
    venv build/venv-stagehand$version scripts/requirements-stagehand$version.txt & jobs+=($!)
  done
  for folder in . tests/conformance/stagehand; do
    node_modules "$folder" & jobs+=($!)
  done
  failed=0
  for job in "${jobs[@]}"; do
    wait "$job" || failed=1
  done
  exit "$failed"
fi
