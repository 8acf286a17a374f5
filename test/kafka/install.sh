#!/usr/bin/env bash
# install.sh LIB: copies Apache Kafka's jars from Maven Central to the directory LIB, once.
# Ends with 77, and the reason on standard output, if this machine cannot have them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lib=${1:?usage: install.sh LIB}

skip() {
  echo "SKIPPED: no Kafka broker to test against: $1"
  exit 77
}

if ! command -v java >/dev/null; then skip "java is not installed (openjdk-17-jre-headless)"; fi
if ! command -v kcat >/dev/null; then skip "kcat is not installed"; fi
want=$(cksum <"$here/pom.xml")
if [[ -f $lib/complete && $(<"$lib/complete") == "$want" ]]; then exit 0; fi
if ! command -v mvn >/dev/null; then skip "mvn is not installed (maven)"; fi

rm -rf "$lib"
mkdir -p "$lib"
lib=$(cd "$lib" && pwd)  # to Maven, paths are relative to the pom's directory
if ! mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
  -DoutputDirectory="$lib" >"$lib/maven.log" 2>&1; then
  cat "$lib/maven.log" >&2
  skip "Maven Central is not to be had"
fi
if ! compgen -G "$lib/kafka_*.jar" >/dev/null; then
  echo "install.sh: Maven has copied no kafka_*.jar to $lib" >&2
  exit 1
fi
echo "$want" >"$lib/complete"
