#!/usr/bin/env bash
# pipeline.load.sh KAPPA SCRATCH: a server for which deploy/grafana/pipeline.json has something to
# show: the playground, a replay that takes its time, calls that are answered and calls that fail.
# Prints the server's lines of JSON, of which the first names its addresses; runs until it is ended.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
kappa=$1
scratch=$2

"$kappa" playground --data "$scratch/data" --rate 300 --listen 127.0.0.1:0 --http 127.0.0.1:0 \
  --output json &
server=$!
trap 'kill "$server"; wait "$server" || true; exit 0' TERM INT
export KAPPA_DATA=$scratch/data
until [[ -s $scratch/data/LOCK ]]; do
  kill -0 "$server"
  sleep 0.1
done

# A backlog, so that the replay is seen on its way.
until [[ $("$kappa" query "SELECT sum(sales) > 2000 FROM revenue_by_channel" | tail -1) == true ]]; do
  sleep 0.5
done >/dev/null 2>&1
mkdir "$scratch/logic"
cp -r schemas/playground "$scratch/logic/playground"
sed -i 's/sales >= 15/sales >= 10/' "$scratch/logic/playground/product.sql"
"$kappa" replay start "$scratch/logic/playground" --recompute-all --max-rate 600 >&2

while kill -0 "$server" 2>/dev/null; do
  "$kappa" query "SELECT count(*) FROM revenue_by_channel" >/dev/null || true
  "$kappa" query "SELECT nothing" >/dev/null 2>&1 || true
  sleep 0.2
done
exit 1
