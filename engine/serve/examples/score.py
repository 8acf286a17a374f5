"""Asks for the decision on a card transaction: python3 score.py ID CARD AMOUNT [address]

Stubs as for query.py.
"""
import sys
import time

import grpc
from kappa.v1 import fraud_pb2, fraud_pb2_grpc

(transaction, card, amount), address = sys.argv[1:4], (sys.argv[4:] or ["127.0.0.1:7070"])[0]
fraud = fraud_pb2_grpc.FraudServiceStub(grpc.insecure_channel(address))
sale = fraud_pb2.Transaction(transaction_id=transaction, card_id=card, amount=amount, event_time_us=time.time_ns() // 1000)
decision = fraud.Score(fraud_pb2.ScoreRequest(transaction=sale), timeout=10).decision
print(fraud_pb2.Verdict.Name(decision.verdict), decision.score, *decision.reason_codes)
