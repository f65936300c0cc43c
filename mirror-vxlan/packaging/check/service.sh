#!/bin/bash
# Runs as root in the container that check.sh boots: installs the receiver as the file `way` says,
# has systemd run it, and watches it from start to stop. What it found out is in the file `said`.
set -euo pipefail
cd /shared
exec 2>log
set -x
trap 'journalctl --no-pager -u mirror-vxlan >&2' EXIT
good() { printf 'ok: %s\n' "$*" >>said; }

# What mirrored traffic is made of: VXLAN, and in it the header of a frame.
datagram='\x08\x00\x00\x00\x54\xfa\x11\x00\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x06'
send() { for _ in 1 2 3 4 5; do printf %b "$datagram" >/dev/udp/127.0.0.1/4789; done; }

# The answer to GET $2 on port $1.
get() {
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf 'GET %s HTTP/1.1\r\nHost: x\r\n\r\n' "$2" >&3
  cat <&3
  exec 3>&-
}

# Tries for ten seconds.
until_so() {
  set +x
  for _ in $(seq 100); do
    if "$@" 2>/dev/null; then
      set -x
      return
    fi
    sleep 0.1
  done
  echo "never: $*" >&2
  false
}
healthy() { get 8080 /healthz | grep -q '"healthy":true'; }
accepted() { get 9100 /metrics | grep -q "^mirror_vxlan_accepted_frames_total $1\$"; }
logged() { journalctl --no-pager --boot -u mirror-vxlan | grep -q -- "$1"; }
status() { grep "^$1:" "/proc/$(systemctl show -P MainPID mirror-vxlan)/status" | cut -f2; }

install_package() {
  dpkg -i mirror-vxlan.deb
  sed -i 's/^drain = .*/drain = "1s"/' /etc/mirror-vxlan.toml
  systemctl start mirror-vxlan
}

# As cloud-init would, but for the download.
install_user_data() {
  printf '#!/bin/sh\ncp /shared/mirror-vxlan.tar.gz .\n' >/usr/local/bin/curl
  chmod +x /usr/local/bin/curl
  sed -n '/content: |/,/^runcmd/p' cloud-init.yaml | sed '1d;$d;s/^ *//;s/^drain = .*/drain = "1s"/' \
    >/etc/mirror-vxlan.toml
  local hash
  hash=$(sha256sum mirror-vxlan.tar.gz | cut -d' ' -f1)
  sed '1,/^  - |$/d' cloud-init.yaml | sed "s/0\{64\}/$hash/" | sh
  [[ $(systemctl is-enabled mirror-vxlan) == enabled ]]
}

receives_as_ever() {
  until_so healthy
  logged 'receiving from a packet-socket ring'
  send
  until_so accepted 5
  good "installed by the $way, the service receives from a ring and accounts for every packet"

  [[ $(status CapEff) == 0000000000000000 && $(status CapPrm) == 0000000000000000 ]]
  [[ $(status NoNewPrivs) == 1 && $(status Uid) != 0 ]]
  logged 'writing only where captures go'
  good "it runs as a user of its own, without any capability, confined by seccomp and Landlock"

  echo 'filter = "ip6"' >>/etc/mirror-vxlan.toml
  systemctl reload mirror-vxlan
  until_so logged 'reloaded: the selection'
  good "a reload applies the new options"

  systemctl stop mirror-vxlan
  [[ $(systemctl show -P Result mirror-vxlan) == success ]]
  logged 'unhealthy from now on' && logged 'balances=true'
  ls /var/lib/mirror-vxlan/mirror-*.pcapng*
  good "a stop drains, and leaves complete files"
}

# $1: the drop-in; $2: the option; $3: what the log says then.
receives_with() {
  install -D "$1.conf" "/etc/systemd/system/mirror-vxlan.service.d/$1.conf"
  printf '%s\nhealth = "[::]:8080"\nmetrics = "127.0.0.1:9100"\n' "$2" >/etc/mirror-vxlan.toml
  systemctl daemon-reload
  systemctl restart mirror-vxlan
  until_so healthy
  until_so logged "$3"
  send
  until_so accepted 5
  [[ $(status CapEff) == 0000000000000000 ]]
  systemctl stop mirror-vxlan
  rm "/etc/systemd/system/mirror-vxlan.service.d/$1.conf"
  good "with $1.conf it receives too: $3"
}

uploads() {
  cat >/etc/mirror-vxlan.toml <<'END'
pcapng = "/var/lib/mirror-vxlan"
rotate-time = "1s"
upload = "file:///var/lib/mirror-vxlan/stored"
health = "[::]:8080"
metrics = "127.0.0.1:9100"
END
  systemctl restart mirror-vxlan
  until_so healthy
  send
  until_so uploaded
  ls /var/lib/mirror-vxlan/stored/*/mirror-*
  systemctl stop mirror-vxlan
  good "a process of its own stores what was received"
}
uploaded() { get 9100 /metrics | grep -q '^mirror_vxlan_upload_files_total [1-9]'; }

way=$(cat way)
case $way in
package) install_package ;;
user-data) install_user_data ;;
esac
receives_as_ever
if [[ $way == package ]]; then
  receives_with ring 'pcap = "/var/lib/mirror-vxlan"' 'receiving from a packet-socket ring'
  [[ -z $(nft list ruleset) ]]
  rm /dev/net/tun
  mknod --mode=666 /dev/net/tun c 10 200 # as udev would
  receives_with tap 'tap = "mirror0"' 'receiving from a packet-socket ring'
  # With little memory: not every machine lets a container raise its limits.
  receives_with xdp \
    $'input = "xdp"\ninterface = "lo"\npcap = "/var/lib/mirror-vxlan"\nreceive-buffer = "2MiB"' \
    'receiving by AF_XDP'
  uploads
  # What is removed leaves nothing but what it wrote.
  dpkg --purge mirror-vxlan
  [[ ! -e /usr/bin/mirror-vxlan && ! -e /etc/mirror-vxlan.toml ]]
  good "the package is removed without a trace"
fi
touch good
