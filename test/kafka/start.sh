#!/usr/bin/env bash
# start.sh [--foreground] [--secured] LIB DIR: starts a Kafka broker of one node with its data below DIR.
#
# LIB holds the jars (install.sh). DIR is made at the first start and tells where to find the broker:
#   DIR/bootstrap   host:port
#   DIR/pid         the process
#   DIR/broker.log  what it says; "Kafka Server started" once it is ready
# A broker that was stopped or killed starts again on the same port with the data it had. One that
# runs already is left alone. With --foreground this process becomes the broker; otherwise the broker
# stays behind, and it is ready when this ends.
#
# With --secured it has two listeners more, DIR/sasl (SASL_SSL) and DIR/mutual (TLS with certificates
# on both sides), where nobody may do anything that an ACL does not allow; secure.sh has the rest.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
foreground=no
secured=no
while [[ ${1:-} == --* ]]; do
  case $1 in
    --foreground) foreground=yes ;;
    --secured) secured=yes ;;
    *) echo "start.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
lib=${1:?usage: start.sh [--foreground] [--secured] LIB DIR}
dir=${2:?usage: start.sh [--foreground] [--secured] LIB DIR}
seconds_max=60

java=(java -Xmx512m -Xms128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto
  -Dorg.slf4j.simpleLogger.showDateTime=true -cp "$lib/*")

answers() { (exec 3<>"/dev/tcp/localhost/$1") 2>/dev/null; }

# Below the range from which the system gives ports to whoever asks for any.
free_port() {
  local port
  while true; do
    port=$((20000 + RANDOM % 12000))
    if ! answers "$port"; then
      echo "$port"
      return
    fi
  done
}

runs() {
  [[ -f $dir/pid ]] && grep -qa "$dir/server.properties" "/proc/$(<"$dir/pid")/cmdline" 2>/dev/null
}

prepare() {
  local port controller sasl mutual more_listeners="" more_protocols="" users=()
  port=$(free_port)
  controller=$(free_port)
  if [[ $secured == yes ]]; then
    sasl=$(free_port)
    mutual=$(free_port)
    more_listeners=",SASL://localhost:$sasl,MUTUAL://localhost:$mutual"
    more_protocols=",SASL:SASL_SSL,MUTUAL:SSL"
  fi
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:$controller
listeners=PLAINTEXT://localhost:$port,CONTROLLER://localhost:$controller$more_listeners
advertised.listeners=PLAINTEXT://localhost:$port$more_listeners
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT$more_protocols
log.dirs=$dir/data
auto.create.topics.enable=false
num.partitions=1
num.network.threads=2
num.io.threads=4
background.threads=2

# One node holds everything, and nobody waits for more members.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0

# What usually takes minutes is to be seen in a test.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
log.retention.check.interval.ms=500
log.segment.delete.delay.ms=500
log.cleaner.backoff.ms=500
log.cleaner.dedupe.buffer.size=4194304
log.initial.task.delay.ms=500
PROPERTIES
  if [[ $secured == yes ]]; then
    "$here/secure.sh" "$dir" "$sasl" "$mutual" >>"$dir/server.properties"
    users=(--add-scram "SCRAM-SHA-512=[name=kappa,password=$(<"$dir/password")]")
  fi
  local id  # 22 characters of base64: a UUID, as Kafka writes it
  id=k$(head -c 32 /dev/urandom | base64 | tr -dc 'a-zA-Z0-9' | head -c 21)
  "${java[@]}" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" \
    --ignore-formatted "${users[@]}" >"$dir/format.log" 2>&1 || {
    cat "$dir/format.log" >&2
    exit 1
  }
  echo "localhost:$port" >"$dir/bootstrap"
}

if runs; then exit 0; fi
if [[ ! -f $lib/complete ]]; then
  echo "SKIPPED: no Kafka broker to test against: $lib has no jars (install.sh)"
  exit 77
fi
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if [[ ! -f $dir/bootstrap ]]; then prepare; fi
: >"$dir/broker.log"
if [[ $foreground == yes ]]; then
  echo $$ >"$dir/pid"
  exec "${java[@]}" kafka.Kafka "$dir/server.properties" >"$dir/broker.log" 2>&1 </dev/null
fi
setsid "${java[@]}" kafka.Kafka "$dir/server.properties" >"$dir/broker.log" 2>&1 </dev/null &
echo $! >"$dir/pid"
for ((i = 0; i < seconds_max * 10; ++i)); do
  if grep -q "Kafka Server started" "$dir/broker.log"; then exit 0; fi
  if ! kill -0 "$(<"$dir/pid")" 2>/dev/null; then break; fi
  sleep 0.1
done
echo "the broker did not start; the end of $dir/broker.log:" >&2
tail -20 "$dir/broker.log" >&2
kill -9 "$(<"$dir/pid")" 2>/dev/null || true
exit 1
