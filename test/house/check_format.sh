#!/usr/bin/env bash
# check_format.sh CLANG_FORMAT: names each C++ file that clang-format would change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
find engine operators state schemas replay bench test \( -name '*.h' -o -name '*.cpp' \) -print0 |
  xargs -0 "$1" --dry-run -Werror --ferror-limit=1
