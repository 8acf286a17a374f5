#!/usr/bin/env bash
# stop.sh DIR: ends the broker that start.sh left behind, and removes its data.
set -euo pipefail
dir=${1:?usage: stop.sh DIR}

if [[ -f $dir/pid ]]; then
  pid=$(<"$dir/pid")
  if grep -qa "$dir/server.properties" "/proc/$pid/cmdline" 2>/dev/null; then
    kill -9 "$pid"
    while grep -qa "$dir/server.properties" "/proc/$pid/cmdline" 2>/dev/null; do sleep 0.1; done
  fi
fi
rm -rf "$dir"
