#!/usr/bin/env bash
# Builds the release files and checks that each part works. What this machine lacks the tools for is
# skipped, and a line says so.
#
#   mirror-vxlan/packaging/check.sh [DIR]      # DIR keeps what was built
#
# As root with systemd-nspawn and debootstrap it also boots a Debian in a container, installs the
# package there, and has systemd run the service as its unit confines it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=${1:-$(mktemp --directory)}
target=$(realpath "${CARGO_TARGET_DIR:-target}")
packaging=$PWD/mirror-vxlan/packaging
there() { command -v "$1" >/dev/null; }
good() { printf 'ok: %s\n' "$*"; }
skipped() { printf 'skipped: %s\n' "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# A capture with one mirrored frame of 14 bytes.
capture() {
  printf '\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0'
  printf '\0\361\123\145\0\0\0\0\100\0\0\0\100\0\0\0'
  printf '\2\0\0\0\0\1\2\0\0\0\0\2\10\0\105\0\0\62\0\0\0\0\100\21\0\0\12\0\0\7\12\0\0\11'
  printf '\377\200\22\265\0\36\0\0\10\0\0\0\124\372\21\0\2\0\0\0\0\1\2\0\0\0\0\2\10\6'
}

check_program() {
  local kind
  if there file; then
    kind=$(file --brief "$out/mirror-vxlan")
    [[ $kind == *static* ]] || fail "the program is not static: $kind"
  else
    skipped "what \`file\` says of the program"
  fi
  if there readelf; then
    readelf --dynamic --program-headers "$out/mirror-vxlan" | grep -E 'NEEDED|INTERP' &&
      fail "the program needs a library or a loader"
  fi
  good "the program is static"
  # In this folder the program finds nothing of this machine but itself.
  local root
  root=$(mktemp --directory)
  cp "$out/mirror-vxlan" "$root/"
  capture >"$root/in.pcap"
  if [[ $(id --user) == 0 ]]; then
    [[ $(chroot "$root" /mirror-vxlan decap in.pcap out.pcapng 2>&1) == '1 packets, 1 frames' ]] ||
      fail "decap in an empty folder"
    good "it takes the frames out of a capture in a folder with nothing else"
  else
    skipped "decap in an empty root (not root)"
  fi
  rm -rf "$root"
}

# The tests of what a user sees, run with the released program.
check_tests() {
  export MIRROR_VXLAN_PROGRAM=$out/mirror-vxlan
  if ! cargo test --quiet -p mirror-vxlan --features upload --test it -- \
    program:: operations:: upload:: docs:: live::xdp::the_program >"$out/tests.log" 2>&1; then
    tail --lines 80 "$out/tests.log" >&2
    fail "the tests of the program, run with the released one"
  fi
  good "the tests of the program pass with it"
}

check_package() {
  local files
  files=$(dpkg-deb --contents "$out/mirror-vxlan.deb" | awk '$1 !~ /^d/ { print $6 }' | sort)
  diff <(printf '%s\n' "$files") "$packaging/check/files.txt" ||
    fail "the files of the package are not those in packaging/check/files.txt"
  dpkg-deb --fsys-tarfile "$out/mirror-vxlan.deb" |
    tar --extract --to-stdout ./usr/share/man/man1/mirror-vxlan-receive.1.gz | gunzip |
    grep --quiet -- '\\-\\-pcapng' || fail "the manual page does not describe --pcapng"
  good "the package has the program, its pages, completions, options and units"
}

check_image() {
  if [[ ! -e $out/mirror-vxlan.oci ]]; then
    skipped "the image was not built"
    return
  fi
  local container said
  container=$(buildah from --quiet "oci-archive:$out/mirror-vxlan.oci")
  said=$(buildah run --isolation chroot "$container" -- /usr/bin/mirror-vxlan --version)
  buildah rm "$container" >/dev/null
  [[ $said == mirror-vxlan\ * ]] || fail "the image says: $said"
  good "the image runs: $said"
}

check_unit() {
  if ! there systemd-analyze; then
    skipped "systemd-analyze is not installed"
    return
  fi
  local units dropin said
  units=$(mktemp --directory)
  with_program() { sed "s#/usr/bin/mirror-vxlan#$out/mirror-vxlan#" "$packaging/$1" >"$units/$2"; }
  with_program mirror-vxlan.service mirror-vxlan.service
  mkdir "$units/mirror-vxlan.service.d"
  for dropin in none ring tap xdp; do
    rm -f "$units"/mirror-vxlan.service.d/*
    if [[ $dropin != none ]]; then with_program "$dropin.conf" "mirror-vxlan.service.d/$dropin.conf"; fi
    said=$(systemd-analyze verify --man=no "$units/mirror-vxlan.service" 2>&1) || true
    [[ $said != *mirror-vxlan* ]] || fail "systemd on the unit with the drop-in $dropin: $said"
  done
  rm -rf "$units"
  good "systemd accepts the unit and its drop-ins"
}

check_user_data() {
  if there cloud-init; then
    cloud-init schema --config-file "$packaging/cloud-init.yaml" 2>/dev/null
    good "cloud-init accepts the user data"
  else
    skipped "cloud-init is not installed"
  fi
  if there ansible-playbook; then
    local said
    said=$(ansible-playbook --syntax-check -i localhost, "$packaging/ansible.yaml" 2>&1 </dev/null) ||
      fail "ansible says: $said"
    good "ansible accepts the playbook"
  else
    skipped "ansible is not installed"
  fi
}

# Boots a Debian of its own and has check/service.sh run in it.
check_service() {
  if ! there systemd-nspawn || ! there debootstrap || [[ $(id --user) != 0 ]]; then
    skipped "the service in a container (needs root, systemd-nspawn and debootstrap)"
    return
  fi
  local root=$target/packaging-root packages=systemd,systemd-sysv,iproute2,nftables,procps shared way
  if [[ $(cat "$root.made" 2>/dev/null) != "$packages" ]]; then
    rm -rf "$root"
    debootstrap --variant=minbase --include="$packages" bookworm "$root" >"$root.log"
    echo "$packages" >"$root.made"
  fi
  for way in package user-data; do
    shared=$(mktemp --directory)
    cp "$out"/mirror-vxlan.{deb,tar.gz} "$packaging"/check/service.sh "$packaging"/{ring,tap,xdp}.conf \
      "$shared/"
    cp "$packaging/cloud-init.yaml" "$shared/"
    printf '%s' "$way" >"$shared/way"
    # Nothing is kept: the container writes to memory, and its /run hides that of this machine.
    # shellcheck disable=SC2016 # the inner shell expands them
    SYSTEMD_SECCOMP=0 timeout 180 unshare --mount sh -ec '
      mount -t tmpfs tmpfs /run
      exec systemd-nspawn --quiet --directory="$1" --volatile=overlay --register=no --keep-unit \
        --private-network --capability=CAP_NET_ADMIN,CAP_BPF,CAP_PERFMON \
        --bind="$2":/shared --console=read-only --boot \
        systemd.run=/shared/service.sh systemd.run_success_action=poweroff \
        systemd.run_failure_action=poweroff' sh "$root" "$shared" </dev/null >"$shared/console" 2>&1 ||
      true
    if [[ ! -e $shared/good ]]; then
      tail --lines 60 "$shared/log" "$shared/console" >&2 || true
      fail "the service, installed by the $way"
    fi
    grep '^ok' "$shared/said"
    rm -rf "$shared"
  done
}

for tool in cargo-deb dpkg-deb musl-gcc; do
  if ! there "$tool"; then
    skipped "all of it ($tool is not installed)"
    exit
  fi
done
"$packaging/build.sh" "$out"
check_program
check_tests
check_package
check_image
check_unit
check_user_data
check_service
