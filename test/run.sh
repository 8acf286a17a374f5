#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test; --quick leaves out the slow ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
  "") preset=test ;;
  --quick) preset=quick-test ;;
  *)
    echo "usage: test/run.sh [--quick]" >&2
    exit 2
    ;;
esac
deploy/setup.sh
test/kafka/install.sh build/release/kafka/lib || [[ $? == 77 ]]  # else it has said why it cannot
cmake --workflow --preset "$preset"
