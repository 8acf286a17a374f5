"""Appends lines from standard input to a topic: python3 ingest.py TOPIC [address]

Stubs as for query.py.
"""
import sys

import grpc
from kappa.v1 import ingest_pb2, ingest_pb2_grpc

topic, address = sys.argv[1], (sys.argv[2:] or ["127.0.0.1:7070"])[0]
ingest = ingest_pb2_grpc.IngestStub(grpc.insecure_channel(address))
records = [ingest_pb2.AppendRecord(value=line.rstrip(b"\n")) for line in sys.stdin.buffer]
answer = ingest.Append(ingest_pb2.AppendRequest(topic=topic, records=records), timeout=30)
print(len(answer.records), "records are on disk")
