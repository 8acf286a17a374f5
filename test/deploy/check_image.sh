#!/usr/bin/env bash
# check_image.sh BINARY: what can be known of deploy/Dockerfile without building it. The packages of
# deploy/runtime-packages.txt are exactly those whose libraries the binary links (but for those that
# the list says are not linked), what is copied is there, and the health check tells a server that is
# ready from none. Ends with 77 on what is not Debian 12.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
binary=$1
image=deploy/Dockerfile
list=deploy/runtime-packages.txt

. /etc/os-release
if [[ "${ID:-} ${VERSION_ID:-}" != "debian 12" ]]; then
  echo "SKIPPED: the image is of Debian 12, this is ${PRETTY_NAME:-unknown}"
  exit 77
fi

package_of() {  # of a library, which dpkg knows as /lib/… or as /usr/lib/…
  local path
  path=$(realpath "$1")
  { dpkg -S "$path" 2>/dev/null || dpkg -S "${path#/usr}"; } | cut -d : -f 1 | head -1
}
linked=$(ldd "$binary" | grep -o ' /[^ ]*\|^\s/[^ ]*' | while read -r path; do package_of "$path"; done | sort -u)
listed=$(grep -v '# not linked' "$list" | sed 's/#.*//' | awk 'NF {print $1}' | sort -u)
if ! diff <(echo "$listed") <(echo "$linked"); then
  echo "$list: < is listed and not linked, > is linked and not listed" >&2
  exit 1
fi

grep '^COPY' "$image" | grep -v -- '--from=' | while read -r _ words; do
  for path in ${words% *}; do
    [[ -e $path ]] || { echo "$image copies $path, which is not there" >&2; exit 1; }
  done
done
cmake --list-presets=workflow | grep -q '"playground"'

scratch=$(mktemp -d)
server=
cleanup() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  wait || true
  rm -rf "$scratch"
}
trap cleanup EXIT
healthy() {  # PORT, as the image asks
  KAPPA_HTTP=0.0.0.0:$1 python3 -c '
import json, re, subprocess, sys
command = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])\n", open(sys.argv[1]).read(), re.S).group(1)
sys.exit(subprocess.run(json.loads(command), stderr=subprocess.DEVNULL).returncode)' "$image"
}
settings=$(sed -n 's/^ENV //p' "$image" | sed "s|/data|$scratch/data|; s/:707[01]/:0/g")
env $settings "$binary" serve --product schemas/playground --output json >"$scratch/out" 2>"$scratch/err" &
server=$!
until grep -q '"http"' "$scratch/out"; do
  kill -0 "$server" 2>/dev/null || { cat "$scratch/err" >&2; exit 1; }
  sleep 0.1
done
port=$(sed -n 's/.*"http": *"[^"]*:\([0-9]*\)".*/\1/p' "$scratch/out")
healthy "$port" || { echo "$image: its health check fails on a server that is ready" >&2; exit 1; }
kill "$server"
wait "$server" || true
server=
if healthy "$port"; then
  echo "$image: its health check finds a server where none is" >&2
  exit 1
fi
echo "the image has what it needs: $(wc -w <<<"$listed") packages"
