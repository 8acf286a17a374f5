#!/usr/bin/env bash
# Installs what is missing, builds kappa and starts the playground; options go to `kappa playground`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$root/deploy/setup.sh"
(cd "$root" && cmake --workflow --preset playground) >&2
exec "$root/build/release/kappa" playground "$@"
