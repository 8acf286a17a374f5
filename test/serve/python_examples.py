"""Runs the Python examples against a server: python_examples.py SERVER_BINARY REPOSITORY.

SERVER_BINARY prints "listening on <address>" and serves until its input ends. Exit code 77: skipped,
because this Python has no grpcio, or there is nothing to make stubs with.
"""

import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def skip(reason):
    print("SKIPPED:", reason)
    sys.exit(SKIPPED)


def make_stubs(repository, out):
    schemas = os.path.join(repository, "schemas")
    names = ["value", "stamp", "subscribe", "query", "ingest", "admin"]
    files = [os.path.join(schemas, "kappa/v1", name + ".proto") for name in names]
    arguments = ["-I", schemas, "--python_out=" + out, "--grpc_python_out=" + out] + files
    plugin = shutil.which("grpc_python_plugin")
    if plugin and shutil.which("protoc"):
        command = ["protoc", "--plugin=protoc-gen-grpc_python=" + plugin]
    else:
        try:
            import grpc_tools  # noqa: F401
        except ImportError:
            skip("neither protoc with grpc_python_plugin nor grpcio-tools is installed")
        command = [sys.executable, "-m", "grpc_tools.protoc"]
    subprocess.run(command + arguments, check=True)


def run(repository, stubs, name, arguments, text=b""):
    script = os.path.join(repository, "engine/serve/examples", name)
    environment = dict(os.environ, PYTHONPATH=stubs)
    done = subprocess.run(
        [sys.executable, script] + arguments, input=text, env=environment, capture_output=True, timeout=60
    )
    if done.returncode != 0:
        sys.exit("%s failed:\n%s" % (name, done.stderr.decode()))
    return done.stdout.decode()


def check(found, expected):
    if found != expected:
        sys.exit("expected:\n%s\nfound:\n%s" % (expected, found))


def main():
    binary, repository = sys.argv[1:3]
    try:
        import google.protobuf  # noqa: F401
        import grpc  # noqa: F401
    except ImportError as missing:
        skip("%s (%s); Debian: apt install python3-grpcio" % (missing, sys.executable))
    server = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        address = server.stdout.readline().decode().split()[-1]
        with tempfile.TemporaryDirectory() as stubs:
            make_stubs(repository, stubs)
            sql = "SELECT card_id, purchases, purchases = 2 AS two FROM cards ORDER BY card_id"
            check(
                run(repository, stubs, "query.py", [sql, address]),
                "card_id\tpurchases\ttwo\nc1\t1\tFalse\nc2\t2\tTrue\nc3\t3\tFalse\n",
            )
            check(
                run(repository, stubs, "query.py", ["SELECT spent, price FROM sales WHERE n IS NULL", address]),
                "spent\tprice\nNULL\tNULL\n",
            )
            check(
                run(repository, stubs, "ingest.py", ["notes", address], b'{"id": 1}\n{"id": 2}\n'),
                "2 records are on disk\n",
            )
    finally:
        server.stdin.close()
        server.wait(timeout=60)
    print("the Python examples work")


if __name__ == "__main__":
    main()
