#!/usr/bin/env bash
# Installs what deploy/packages.txt lists. Does nothing when all of it is there.
# Needs root or a sudo that asks nothing; otherwise it prints the line to run and ends with 1.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

os_release=${KAPPA_OS_RELEASE:-/etc/os-release}
distribution=$(. "$os_release" 2>/dev/null && echo "${ID:-unknown} ${VERSION_ID:-}") || distribution=unknown
if [[ $distribution != "debian 12" ]]; then
  cat >&2 <<MESSAGE
deploy/setup.sh installs packages of Debian 12; this is "$distribution".
Install the counterparts of deploy/packages.txt by hand, then build with
  cmake --workflow --preset playground
MESSAGE
  exit 1
fi

mapfile -t wanted < <(sed 's/#.*//' "$here/packages.txt" | awk 'NF {print $1}')
mapfile -t missing < <(
  dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
    awk '$2 == "installed" {print $1}' | sort -u |
    comm -13 - <(printf '%s\n' "${wanted[@]}" | sort -u)
)
if [[ ${#missing[@]} -eq 0 ]]; then exit 0; fi

# One shell line, so that it can be pasted as it is printed.
line="apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${missing[*]}"
if [[ $(id -u) -eq 0 ]]; then
  as_root=(bash -c)
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n bash -c)
else
  cat >&2 <<MESSAGE
These packages are missing, and installing them needs root. Run this line, then this script again:
  sudo sh -c '$line'
MESSAGE
  exit 1
fi
echo "installing ${#missing[@]} packages: ${missing[*]}" >&2
"${as_root[@]}" "$line" >&2
