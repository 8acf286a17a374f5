#!/usr/bin/env python3
"""Trains the product's fraud model on what the product itself computed, and puts it in place.

    train.py --server 127.0.0.1:7070 --train 2018-07-25..2018-07-31 --test 2018-08-08..2018-08-14

exports the features of the payments of these days as they were when each payment came (kappa export
decisions), with the reports of fraud as labels (kappa export reported_frauds), trains XGBoost (Debian's
command xgboost) or a logistic model, measures it on the days of the test, and writes models/NAME.json with
NAME.metrics.json beside it. Nothing is live before `kappa apply` has replayed history with it.

    train.py evaluate …   measures the scores that the live model gave, and writes nothing.

Days are of UTC, both ends included. The days of the test should begin a week or more after those of the
training, for reports take a week. Measured are the area under the ROC curve, average precision and card
precision@100: as in the Fraud Detection Handbook (Le Borgne et al.), chapter 3 and 4, customers that are
known as compromised by then left out.
"""
import argparse
import csv
import datetime
import json
import math
import os
import subprocess
import sys
import tempfile

DIRECTORY = os.path.dirname(os.path.abspath(__file__))
FEATURES = ["amount", "is_weekend", "is_night",
            "customer_count_24h", "customer_mean_24h", "customer_count_7d", "customer_mean_7d",
            "customer_count_30d", "customer_mean_30d",
            "terminal_matured_1d", "terminal_risk_1d", "terminal_matured_7d", "terminal_risk_7d",
            "terminal_matured_30d", "terminal_risk_30d"]
REPORT_DELAY_DAYS = 7


# ---- what the product knows ---------------------------------------------------------------------

def export(options, view, columns, where):
    command = [options.kappa, "export", view, "--columns", ",".join(columns), "--where", where, "--format", "csv"]
    command += ["--data", options.data] if options.data else ["--server", options.server]
    if options.product:
        command += ["--product", options.product]
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        sys.exit(f"train.py: there is no command {options.kappa}; name it with --kappa")
    if run.returncode != 0:
        sys.exit(f"train.py: {view} could not be exported; kappa export has said why")
    return list(csv.DictReader(run.stdout.splitlines()))


def number(text):
    """A feature as a model takes it; NULL is a missing value."""
    if text == "":
        return math.nan
    return {"true": 1.0, "false": 0.0}.get(text) if text in ("true", "false") else float(text)


def day_of(time):
    return datetime.date.fromisoformat(time[:10])


def read_payments(options):
    first, last = options.train[0], options.test[1] + datetime.timedelta(days=1)
    rows = export(options, "decisions",
                  ["transaction_id", "event_time", "card_id", "customer_id", "score"] + FEATURES,
                  f"event_time >= '{first}' AND event_time < '{last}'")
    # Exports have no order, and training should not depend on it.
    rows.sort(key=lambda row: (row["event_time"], row["transaction_id"]))
    frauds = {row["transaction_id"] for row in export(options, "reported_frauds", ["transaction_id"], "true")}
    payments = []
    for row in rows:
        payments.append({"day": day_of(row["event_time"]), "customer": row["customer_id"] or row["card_id"],
                         "fraud": row["transaction_id"] in frauds, "score": number(row["score"]),
                         "features": [number(row[name]) for name in FEATURES]})
    return payments


def split(payments, options):
    """The payments to train on, and those of the test whose customers are not known as compromised by then."""
    train = [p for p in payments if options.train[0] <= p["day"] <= options.train[1]]
    known_since = {}  # the day from which a customer is known
    for p in payments:
        if not p["fraud"]:
            continue
        since = p["day"] + datetime.timedelta(days=REPORT_DELAY_DAYS + 1)
        if p["day"] <= options.train[1]:
            since = options.test[0]
        known_since[p["customer"]] = min(since, known_since.get(p["customer"], since))
    test = [p for p in payments if options.test[0] <= p["day"] <= options.test[1]
            and known_since.get(p["customer"], datetime.date.max) > p["day"]]
    for name, rows in (("train", train), ("test", test)):
        if not any(p["fraud"] for p in rows) or all(p["fraud"] for p in rows):
            sys.exit(f"train.py: the {name} days have {len(rows)} payments, {sum(p['fraud'] for p in rows)} of them "
                     "reported as fraud: there is nothing to tell apart. Are the days within the retention of "
                     "decisions, and have their reports come in?")
    return train, test


# ---- measures -----------------------------------------------------------------------------------

def roc_auc(rows):
    """The chance that a fraud has a higher score than another payment, ties counting half."""
    ranked = sorted(rows, key=lambda p: p["score"])
    rank_sum, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end]["score"] == ranked[at]["score"]:
            end += 1
        rank_sum += (at + 1 + end) / 2 * sum(p["fraud"] for p in ranked[at:end])
        at = end
    frauds = sum(p["fraud"] for p in rows)
    return (rank_sum - frauds * (frauds + 1) / 2) / (frauds * (len(rows) - frauds))


def average_precision(rows):
    """The precision at each score, weighted by the recall that it adds."""
    ranked = sorted(rows, key=lambda p: -p["score"])
    frauds, found, total, at = sum(p["fraud"] for p in rows), 0, 0.0, 0
    while at < len(ranked):
        end, before = at, found
        while end < len(ranked) and ranked[end]["score"] == ranked[at]["score"]:
            found += ranked[end]["fraud"]
            end += 1
        total += (found - before) / frauds * found / end
        at = end
    return total


def card_precision(rows, cards=100):
    """Of the 100 customers with the highest scores of a day, how many had a fraud: the mean of the days. Who was
    found leaves the later days."""
    found, shares = set(), []
    for day in sorted({p["day"] for p in rows}):
        best, frauds = {}, set()
        for p in rows:
            if p["day"] != day or p["customer"] in found:
                continue
            best[p["customer"]] = max(p["score"], best.get(p["customer"], -1))
            if p["fraud"]:
                frauds.add(p["customer"])
        top = sorted(best, key=lambda customer: (-best[customer], customer))[:cards]
        hits = [customer for customer in top if customer in frauds]
        shares.append(len(hits) / cards)
        found.update(hits)
    return sum(shares) / len(shares)


def measure(rows):
    return {"payments": len(rows), "frauds": sum(p["fraud"] for p in rows), "auc_roc": round(roc_auc(rows), 4),
            "average_precision": round(average_precision(rows), 4), "card_precision_100": round(card_precision(rows), 4)}


# ---- models -------------------------------------------------------------------------------------

def write_libsvm(path, rows):
    with open(path, "w", encoding="ascii") as file:
        for p in rows:
            # What is left out is a missing value, so zeros are written.
            cells = [f"{i}:{value!r}" for i, value in enumerate(p["features"]) if not math.isnan(value)]
            file.write(f"{int(p['fraud'])} {' '.join(cells)}\n")


def run_xgboost(*arguments):
    try:
        run = subprocess.run(["xgboost", *arguments], stdout=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        sys.exit("train.py: there is no command xgboost; install Debian's package xgboost, or take --model logistic")
    if run.returncode != 0:
        sys.exit(f"train.py: xgboost ended with {run.returncode}; it has said why")


def train_xgboost(train, test, version, out):
    with tempfile.TemporaryDirectory() as scratch:
        data, conf, model = (os.path.join(scratch, name) for name in ("train.libsvm", "train.conf", "model.json"))
        write_libsvm(data, train)
        write_libsvm(os.path.join(scratch, "test.libsvm"), test)
        with open(conf, "w", encoding="ascii") as file:
            file.write("booster = gbtree\nobjective = binary:logistic\nmax_depth = 6\neta = 0.3\nnum_round = 100\n"
                       f"seed = 0\nnthread = 2\nverbosity = 0\ndata = \"{data}?format=libsvm\"\n"
                       f"model_out = \"{model}\"\n")
        run_xgboost(conf)
        scores = os.path.join(scratch, "scores")
        run_xgboost(conf, "task=pred", f"model_in={model}", f"name_pred={scores}",
                    f"test:data={scratch}/test.libsvm?format=libsvm")
        with open(scores, encoding="ascii") as file:
            for p, line in zip(test, file, strict=True):
                p["score"] = float(line)
        with open(model, encoding="utf-8") as file:
            trained = json.load(file)
    trained["learner"]["attributes"]["version"] = version
    trained["learner"]["feature_names"] = FEATURES
    trained["learner"]["feature_types"] = ["float"] * len(FEATURES)
    with open(out, "w", encoding="utf-8") as file:
        json.dump(trained, file, separators=(",", ":"))
        file.write("\n")


def solve(matrix, right):
    """Gaussian elimination with pivots, of a small system."""
    n = len(right)
    rows = [list(matrix[i]) + [right[i]] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, n):
            factor = rows[r][i] / rows[i][i]
            if factor:
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i])]
    solution = [0.0] * n
    for i in reversed(range(n)):
        solution[i] = (rows[i][n] - sum(rows[i][j] * solution[j] for j in range(i + 1, n))) / rows[i][i]
    return solution


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def train_logistic(train, test, version, out):
    """Newton's method for the logistic loss of standardised features, with an L2 penalty of C = 1."""
    count, width = len(train), len(FEATURES)
    columns = list(zip(*(p["features"] for p in train)))
    mean = [sum(column) / count for column in columns]
    scale = [math.sqrt(sum((x - m) ** 2 for x in column) / count) or 1.0 for column, m in zip(columns, mean)]

    def scaled(p):
        return [(x - m) / s for x, m, s in zip(p["features"], mean, scale)] + [1.0]

    inputs = [(scaled(p), float(p["fraud"])) for p in train]
    weights = [0.0] * (width + 1)
    for _ in range(30):
        gradient = weights[:width] + [0.0]
        hessian = [[float(i == j and i < width) for j in range(width + 1)] for i in range(width + 1)]
        for x, y in inputs:
            p = sigmoid(sum(w * v for w, v in zip(weights, x)))
            error, curve = p - y, p * (1 - p)
            for i, value in enumerate(x):
                gradient[i] += error * value
                row, part = hessian[i], curve * value
                for j in range(i + 1):
                    row[j] += part * x[j]
        for i in range(width + 1):
            for j in range(i):
                hessian[j][i] = hessian[i][j]
        step = solve(hessian, gradient)
        weights = [w - s for w, s in zip(weights, step)]
        if max(abs(s) for s in step) < 1e-6:
            break
    for p in test:
        p["score"] = sigmoid(sum(w * v for w, v in zip(weights, scaled(p))))
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"kind": "logistic", "version": version, "features": FEATURES, "mean": mean, "scale": scale,
                   "coefficients": weights[:width], "intercept": weights[width]}, file, indent=1)
        file.write("\n")


# ---- the command line ---------------------------------------------------------------------------

def days(text):
    first, _, last = text.partition("..")
    try:
        span = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last or first)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError("write days as 2018-07-25..2018-07-31") from wrong
    if span[0] > span[1]:
        raise argparse.ArgumentTypeError("the first day is after the last")
    return span


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", nargs="?", choices=["train", "evaluate"], default="train")
    parser.add_argument("--train", type=days, required=True, help="days to train on: FIRST..LAST")
    parser.add_argument("--test", type=days, required=True, help="days to measure on: FIRST..LAST")
    parser.add_argument("--model", choices=["xgboost", "logistic"], default="xgboost")
    parser.add_argument("--name", default="fraud", help="of the model (fraud)")
    parser.add_argument("--version", help="of the model; default: its kind and the last day of training")
    parser.add_argument("--into", default=os.path.join(DIRECTORY, "models"), help="where models are")
    parser.add_argument("--product", help="of the server, if it serves several")
    parser.add_argument("--server", default=os.environ.get("KAPPA_SERVER", "127.0.0.1:7070"))
    parser.add_argument("--data", help="the data directory, if no server runs")
    parser.add_argument("--kappa", default="kappa", help="the command")
    options = parser.parse_args()

    train, test = split(read_payments(options), options)
    if options.task == "evaluate":
        print(json.dumps(measure(test)))
        return
    version = options.version or f"{options.model}-{options.train[1]}"
    out = os.path.join(options.into, options.name + ".json")
    {"xgboost": train_xgboost, "logistic": train_logistic}[options.model](train, test, version, out)
    metrics = {"version": version, "train": [str(day) for day in options.train], "train_payments": len(train),
               "train_frauds": sum(p["fraud"] for p in train), "test": [str(day) for day in options.test]}
    metrics.update(measure(test))
    with open(os.path.join(options.into, options.name + ".metrics.json"), "w", encoding="utf-8") as file:
        json.dump(metrics, file, indent=1)
        file.write("\n")
    print(json.dumps(metrics))


if __name__ == "__main__":
    main()
