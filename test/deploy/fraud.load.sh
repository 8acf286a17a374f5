#!/usr/bin/env bash
# fraud.load.sh KAPPA SCRATCH: a server of the data product sales_fraud for which deploy/grafana/fraud.json
# has something to show: payments that are scored over gRPC, some rejected and some asked for again,
# rules of which one is wrong, reports, sales. Prints the server's lines of JSON, of which the first
# names its addresses; runs until it is ended.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
kappa=$1
scratch=$2

"$kappa" serve --data "$scratch/data" --product schemas/sales_fraud --listen 127.0.0.1:0 --http 127.0.0.1:0 \
  --output json >"$scratch/serve.out" &
server=$!
trap 'kill "$server"; wait "$server" || true; exit 0' TERM INT
until [[ -s $scratch/serve.out ]]; do
  kill -0 "$server"
  sleep 0.1
done
cat "$scratch/serve.out"
address=$(grep -o '"grpc": *"[^"]*"' "$scratch/serve.out" | head -1 | sed 's/.*"\([^"]*\)"$/\1/')
export KAPPA_SERVER=$address

mkdir "$scratch/stubs"
protoc -I schemas --python_out="$scratch/stubs" --grpc_python_out="$scratch/stubs" \
  --plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin schemas/kappa/v1/*.proto
"$kappa" produce fraud-rules --key-separator : --file schemas/sales_fraud/rules/rules.txt >&2
echo 'wrong:{"rule_id": "wrong", "condition": "amout > 5"}' |
  "$kappa" produce fraud-rules --key-separator : >&2
PYTHONPATH="$scratch/stubs" /usr/bin/python3 - "$address" <<'PYTHON' &
import sys
import time

import grpc
from kappa.v1 import fraud_pb2, fraud_pb2_grpc, ingest_pb2, ingest_pb2_grpc

channel = grpc.insecure_channel(sys.argv[1])
fraud, ingest = fraud_pb2_grpc.FraudServiceStub(channel), ingest_pb2_grpc.IngestStub(channel)


def append(topic, key, value):
    record = ingest_pb2.AppendRecord(key=key.encode(), value=value.encode())
    ingest.Append(ingest_pb2.AppendRequest(topic=topic, records=[record]))


for n in range(1_000_000):
    now_us = time.time_ns() // 1000
    try:
        payment = fraud_pb2.Transaction(transaction_id=f"t{n}", card_id=f"card-{n % 7}", event_time_us=now_us,
                                        amount="-1.00" if n % 50 == 49 else f"{n % 900}.50")
        fraud.Score(fraud_pb2.ScoreRequest(transaction=payment), timeout=10)
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.INVALID_ARGUMENT:
            raise
    fraud.GetScore(fraud_pb2.GetScoreRequest(card_id=f"card-{n % 7}"), timeout=10)
    append("sale-lines", "i", f'{{"invoice_no": "i{n}", "event_time": {now_us // 1000}, "stock_code": "p{n % 9}", '
                              f'"quantity": 1, "unit_price": 2.50, "country": "DE", "store_id": "store-1"}}')
    if n % 20 == 10:
        append("fraud-reports", f"t{n}", f'{{"transaction_id": "t{n}", "reported_at": {now_us // 1000}}}')
    time.sleep(0.02)
PYTHON
client=$!
trap 'kill "$client" "$server"; wait "$server" || true; exit 0' TERM INT
wait "$client"
exit 1
