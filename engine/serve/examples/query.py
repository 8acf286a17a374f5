"""Reads a view of a running `kappa serve`: python3 query.py "SELECT …" [address]

Stubs, once, from the root of the repository (or --python_out=… of any protoc of your own):

    pip install grpcio-tools
    python3 -m grpc_tools.protoc -I schemas --python_out=. --grpc_python_out=. schemas/kappa/v1/*.proto
"""
import sys

import grpc
from kappa.v1 import query_pb2, query_pb2_grpc

sql, address = sys.argv[1], (sys.argv[2:] or ["127.0.0.1:7070"])[0]
query = query_pb2_grpc.QueryStub(grpc.insecure_channel(address))
for answer in query.Sql(query_pb2.SqlRequest(sql=sql), timeout=30):
    if answer.HasField("header"):
        print(*[column.name for column in answer.header.columns], sep="\t")
    for row in answer.rows.rows:
        kinds = [value.WhichOneof("kind") for value in row.values]
        print(*[getattr(v, k) if k else "NULL" for v, k in zip(row.values, kinds)], sep="\t")
