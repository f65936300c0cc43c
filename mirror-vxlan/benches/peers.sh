#!/bin/sh
# Measures the receiver beside other programs: peers.sh [--anyway] [offline] [live]
set -eu
here=$(dirname "$0")
anyway=
[ "${1-}" != --anyway ] || { anyway=--anyway; shift; }
[ $# -gt 0 ] || set -- offline live
for half; do "$here/peers/$half.sh" $anyway; done
