#!/usr/bin/env bash
# Builds the release files of the receiver into the folder DIR:
#
#   mirror-vxlan/packaging/build.sh DIR
#
#   mirror-vxlan         the program, linked statically: it runs on any Linux of this processor
#   mirror-vxlan.deb     the Debian package, with manual pages, completions and the systemd unit
#   mirror-vxlan.tar.gz  the files of the package in their places, for other distributions
#   mirror-vxlan.oci     the image, if buildah is installed
#
# It needs the Rust target, a C compiler for musl (Debian: musl-tools) and cargo-deb:
#
#   rustup target add x86_64-unknown-linux-musl && cargo install cargo-deb
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=$(realpath --canonicalize-missing "${1:?usage: build.sh DIR}")
triple=$(uname -m)-unknown-linux-musl
built=${CARGO_TARGET_DIR:-target}/$triple/datapath
mkdir -p "$out" "$built/man" "$built/completions"

cargo build --locked --profile datapath --target "$triple" -p mirror-vxlan --features upload
program=$built/mirror-vxlan
cp "$program" "$out/mirror-vxlan"

# cargo-deb expects these beside the program, as if the build had left them there.
rm -f "$built"/man/*
"$program" man "$built/man"
gzip --best --no-name "$built"/man/*
"$program" completions bash >"$built/completions/mirror-vxlan"
"$program" completions zsh >"$built/completions/_mirror-vxlan"
"$program" completions fish >"$built/completions/mirror-vxlan.fish"
cargo deb --quiet --no-build --no-strip --profile datapath --target "$triple" -p mirror-vxlan \
  --output "$out/mirror-vxlan.deb"
dpkg-deb --fsys-tarfile "$out/mirror-vxlan.deb" | gzip --best --no-name >"$out/mirror-vxlan.tar.gz"

if command -v buildah >/dev/null; then
  context=$(mktemp --directory)
  trap 'rm -rf "$context"' EXIT
  cp "$program" "$context/"
  cp /etc/ssl/certs/ca-certificates.crt "$context/"
  buildah build --quiet --file mirror-vxlan/packaging/Containerfile --tag mirror-vxlan "$context"
  rm -f "$out/mirror-vxlan.oci"
  buildah push --quiet mirror-vxlan "oci-archive:$out/mirror-vxlan.oci:mirror-vxlan"
else
  echo "skipped: mirror-vxlan.oci (buildah is not installed)"
fi
