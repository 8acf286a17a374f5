"""Asks a real Prometheus every expression of every dashboard: check_dashboards.py KAPPA REPOSITORY.

A dashboard deploy/grafana/NAME.json is asked while test/deploy/NAME.load.sh runs, which starts a server
and makes it busy: called with KAPPA and a directory of its own, it prints the server's lines of JSON
(the first one has "http") and runs until it is ended. Prometheus scrapes the server by
deploy/prometheus/prometheus.yml, but for the address and the interval.

Every expression has to return data, and so has what stands before " or on() vector(0)", which is for
when nothing happens: at some time during the run. Exit code 77: skipped, without Prometheus.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

SKIPPED = 77
PATIENCE_S = 300  # a bound for machines that are slow; it takes some twenty seconds
NOTHING_HAPPENS = " or on() vector(0)"


class Child:
    """A process whose output goes to a file, ended with the block."""

    def __init__(self, command, log):
        self.log = log
        self.process = subprocess.Popen(
            command, stdout=open(log, "w"), stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)

    def output(self):
        with open(self.log) as file:
            return file.read()

    def check_running(self):
        if self.process.poll() is not None:
            sys.exit(f"{self.process.args[0]} has ended:\n{self.output()}")


class Prometheus(Child):
    def __init__(self, configuration, scratch):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % free.getsockname()[1]
        super().__init__(
            ["prometheus", "--config.file=" + configuration, "--log.level=warn",
             "--storage.tsdb.path=" + os.path.join(scratch, "tsdb"),
             "--web.listen-address=" + self.address], os.path.join(scratch, "prometheus.log"))

    def ask(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            sys.exit(f"{path} {parameters}: {error.read().decode()}")
        except OSError:
            self.check_running()  # it has not begun to listen
            return None

    def has_data(self, expression):
        data = self.ask("query", query=expression)
        return data is not None and any(
            sample["value"][1] != "NaN" for sample in data["result"])

    def label_values(self, query):
        metric, label = re.fullmatch(r"label_values\((.+), *(\w+)\)", query).groups()
        return self.ask(f"label/{label}/values", **{"match[]": metric}) or []


def wait_until(what, happened, *children):
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        for child in children:
            child.check_running()
        if time.monotonic() > deadline:
            sys.exit(f"after {PATIENCE_S} s still waiting until {what}")
        time.sleep(0.2)


def first_line(child):
    lines = [line for line in child.output().split("\n")[:-1] if line.startswith("{")]
    return json.loads(lines[0]) if lines else None


def configuration_for(repository, address, scratch):
    with open(os.path.join(repository, "deploy/prometheus/prometheus.yml")) as file:
        text = file.read()
    for was, becomes in (("127.0.0.1:7071", address), ("scrape_interval: 5s", "scrape_interval: 1s")):
        if text.count(was) != 1:
            sys.exit(f"prometheus.yml: expected {was} once")
        text = text.replace(was, becomes)
    path = os.path.join(scratch, "prometheus.yml")
    with open(path, "w") as file:
        file.write(text)
    return path


def panels_of(node):
    for panel in node.get("panels", []):
        yield panel
        yield from panels_of(panel)


def expressions_of(dashboard):
    """(panel, expression) of all panels and annotations."""
    for panel in panels_of(dashboard):
        if panel["type"] != "row" and not panel.get("targets") and panel["type"] != "text":
            sys.exit(f"panel \"{panel['title']}\" asks nothing")
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in dashboard.get("annotations", {}).get("list", []):
        if "expr" in annotation:
            yield annotation["name"], annotation["expr"]


def variables_of(dashboard, prometheus, server):
    """The dashboard's variables with the first of their values, and Grafana's own."""
    values = {"__rate_interval": "15s", "__interval": "5s", "__range": "1m"}
    for variable in dashboard.get("templating", {}).get("list", []):
        name, kind, query = variable["name"], variable["type"], variable.get("query", "")
        if kind == "datasource":
            continue
        if kind != "query":
            values[name] = variable["current"]["value"]
            continue
        text = query["query"] if isinstance(query, dict) else query
        wait_until(f"{text} has values", lambda: prometheus.label_values(text), prometheus, server)
        values[name] = prometheus.label_values(text)[0]
    return values


def filled_in(expression, values):
    filled = re.sub(r"\$\{?(\w+)(?::\w+)?\}?", lambda match: values[match.group(1)], expression)
    return filled


def check(path, kappa, repository):
    with open(path) as file:
        dashboard = json.load(file)
    name = os.path.splitext(os.path.basename(path))[0]
    load = os.path.join(repository, "test/deploy", name + ".load.sh")
    with tempfile.TemporaryDirectory(prefix="kappa-dashboard-") as scratch:
        with Child([load, kappa, scratch], os.path.join(scratch, "load.log")) as server:
            wait_until("the server is ready", lambda: first_line(server), server)
            configuration = configuration_for(repository, first_line(server)["http"], scratch)
            with Prometheus(configuration, scratch) as prometheus:
                check_expressions(name, dashboard, prometheus, server)


def check_expressions(name, dashboard, prometheus, server):
    values = variables_of(dashboard, prometheus, server)
    missing = {}
    for panel, expression in expressions_of(dashboard):
        filled = filled_in(expression, values)
        missing[filled] = panel
        if filled.endswith(NOTHING_HAPPENS):
            missing[filled[: -len(NOTHING_HAPPENS)]] = panel
    asked = len(missing)

    def all_have_data():
        for expression in [e for e in missing if prometheus.has_data(e)]:
            del missing[expression]
        return not missing

    deadline = time.monotonic() + PATIENCE_S
    while not all_have_data():
        server.check_running()
        if time.monotonic() > deadline:
            lines = [f"  {panel}: {expression}" for expression, panel in missing.items()]
            sys.exit(f"{name}: without data:\n" + "\n".join(lines) + "\n" + server.output()[-2000:])
        time.sleep(0.5)
    print(f"{name}: {asked} expressions, all with data")


def main():
    kappa, repository = sys.argv[1:]
    if not shutil.which("prometheus"):
        print("SKIPPED: prometheus is not installed")
        sys.exit(SKIPPED)
    folder = os.path.join(repository, "deploy/grafana")
    dashboards = sorted(file for file in os.listdir(folder) if file.endswith(".json"))
    if not dashboards:
        sys.exit(f"{folder} has no dashboard")
    for dashboard in dashboards:
        check(os.path.join(folder, dashboard), kappa, repository)


main()
