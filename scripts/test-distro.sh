#!/usr/bin/env bash
# Builds and tries the project on another Debian, in a root of its own under build/distro: the unit tests, the quickstart, and the
# quickstart with the program that was built here. Needs root; the first time some minutes more for the system itself.
#   scripts/test-distro.sh trixie
#   DEBIAN_MIRROR=URL scripts/test-distro.sh trixie      default: the mirror that this system uses
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:?which suite? for example: scripts/test-distro.sh trixie}
[[ $(id -u) == 0 ]] || { echo "test-distro: debootstrap and chroot need root" >&2; exit 1; }
command -v debootstrap >/dev/null || apt-get install -y --no-install-recommends debootstrap >/dev/null
mirror=${DEBIAN_MIRROR:-$(grep -rhoE '(^deb |^URIs:) *https?://[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
  grep -oE 'https?://.*' | grep -E '/(debian|ubuntu)/?$' | head -n 1 || true)} # not the other archives that a system may use
[[ -n $mirror ]] || { echo "test-distro: no mirror found in /etc/apt; name one in DEBIAN_MIRROR" >&2; exit 1; }

root=$PWD/build/distro/$suite
if [[ ! -x $root/usr/bin/apt-get ]]; then
  rm -rf "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || { tail -20 "$root.log" >&2; exit 1; }
fi
cp /etc/resolv.conf "$root/etc/"
cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/"

mounted=()
clean_up() {
  local place
  for place in "${mounted[@]}"; do umount "$place"; done
}
trap clean_up EXIT
mount -t proc proc "$root/proc" && mounted=("$root/proc")
mount --bind /dev "$root/dev" && mounted=("$root/dev" "${mounted[@]}")
mount -t tmpfs tmpfs "$root/dev/shm" && mounted=("$root/dev/shm" "${mounted[@]}")

mkdir -p "$root/any"
find "$root/any" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +  # what an earlier run brought and is no more
git ls-files -z | xargs -0 -r ls -d 2>/dev/null | tar -c -T - | tar -x -C "$root/any"
inside() { chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "${@:2}" bash -eo pipefail -c "cd /any; $1"; }

echo "== $suite: packages"
inside 'scripts/install-deps.sh; apt-get install -y --no-install-recommends iproute2 strace >/dev/null 2>&1; . /etc/os-release; echo "$PRETTY_NAME"'
echo "== $suite: build"
inside 'cmake --preset release >/dev/null && cmake --build --preset release >build.log 2>&1 || { tail -40 build.log; exit 1; }'
inside 'grep -m1 -o "The CXX compiler identification is .*" build/release/CMakeFiles/CMakeConfigureLog.yaml; build/release/any --version'
echo "== $suite: unit tests"
inside 'ctest --preset release 2>&1 | tail -n 25'
echo "== $suite: quickstart"
inside 'ANY_BINARY=build/release/any scripts/quickstart.sh 2>&1 | grep -A1 "^5\."'
if [[ -x build/release/any ]]; then
  echo "== $suite: quickstart with the program that was built on $(. /etc/os-release; echo "$PRETTY_NAME")"
  cp build/release/any "$root/any/any-built-elsewhere"
  inside 'ANY_BINARY=./any-built-elsewhere scripts/quickstart.sh 2>&1 | grep -A1 "^5\."'
fi
