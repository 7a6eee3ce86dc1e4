#!/usr/bin/env bash
# Installs what the project needs on a fresh Debian 12 (13 and Ubuntu 24.04 follow): to build, and with --test also to test.
# Does nothing, in well under a second, where all is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

build=(clang-16 mold ccache cmake ninja-build pkg-config
  libboost1.81-dev libboost-json1.81-dev libsimdjson-dev libsqlite3-dev libspdlog-dev libfmt-dev libcli11-dev
  libtomlplusplus-dev libssl-dev libgtest-dev libgmock-dev python3 chromium chromium-sandbox)
test=(libclang-rt-16-dev llvm-16 clang-tidy-16 clang-format-16 libbenchmark-dev python3-venv xvfb strace openssl curl
  sqlite3 fonts-liberation util-linux iproute2 libfaketime)

want=("${build[@]}")
if [[ ${1:-} == --test ]]; then
  want+=("${test[@]}")
  command -v node >/dev/null || want+=(nodejs)
  command -v npm >/dev/null || want+=(npm)
fi

missing=()
for package in "${want[@]}"; do
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done

if ((${#missing[@]})); then
  as_root=()
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || { echo "install-deps: run as root, or install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  echo "install-deps: installing ${missing[*]}" >&2
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    echo "install-deps: apt-get could not install all of: ${missing[*]} (its last lines are above)" >&2
    exit 1
  fi
  rm -f "$log"
fi

if [[ ${1:-} == --test ]]; then
  venv=build/venv
  stamp=$venv/.installed-$(sha256sum scripts/requirements-test.txt | cut -c1-16)
  if [[ ! -f $stamp ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/requirements-test.txt
    rm -f "$venv"/.installed-*
    touch "$stamp"
  fi
  for version in 0 3 4; do  # Python Stagehand: each wants other versions of what they share
    wanted=scripts/requirements-stagehand$version.txt
    venv=build/venv-stagehand$version
    stamp=$venv/.installed-$(sha256sum "$wanted" | cut -c1-16)
    if [[ ! -f $stamp ]]; then
      python3 -m venv --clear "$venv"
      "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
      touch "$stamp"
    fi
  done
  for folder in . tests/conformance/stagehand; do
    if [[ $folder/package-lock.json -nt $folder/node_modules/.package-lock.json ]]; then
      npm ci --silent --no-audit --no-fund --prefix "$folder"
    fi
  done
fi
