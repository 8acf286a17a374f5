#!/usr/bin/env bash
# secure.sh DIR SASL_PORT MUTUAL_PORT: what start.sh --secured adds to a broker. Writes, anew each
# time, so that nothing secret is ever in the repository:
#   DIR/tls/ca.pem                    who signed the broker's certificate, and the client's
#   DIR/tls/other-ca.pem              somebody who signed neither
#   DIR/tls/client.pem, client.key    of User:CN=kappa-client
#   DIR/password                      of the SCRAM user kappa
# and prints the settings of the broker's listeners, which ask a StandardAuthorizer.
set -euo pipefail
dir=${1:?usage: secure.sh DIR SASL_PORT MUTUAL_PORT}
sasl_port=${2:?}
mutual_port=${3:?}
tls=$dir/tls
mkdir -p "$tls"

# authority NAME: a key and a certificate that may sign others.
authority() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" \
    -keyout "$tls/$1.key" -out "$tls/$1.pem" 2>/dev/null
}

# signed NAME SUBJECT EXTENSION: a key, and a certificate that `ca` has signed.
signed() {
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$tls/$1.key" -out "$tls/$1.csr" 2>/dev/null
  openssl x509 -req -in "$tls/$1.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo "$3") -out "$tls/$1.pem" 2>/dev/null
}

authority ca
authority other-ca
signed broker localhost "subjectAltName=DNS:localhost,IP:127.0.0.1"
signed client kappa-client "extendedKeyUsage=clientAuth"
cat "$tls/broker.key" "$tls/broker.pem" >"$tls/broker-store.pem"
head -c 64 /dev/urandom | base64 | tr -dc 'a-zA-Z0-9' | head -c 24 >"$dir/password"
echo "localhost:$sasl_port" >"$dir/sasl"
echo "localhost:$mutual_port" >"$dir/mutual"

cat <<PROPERTIES

# The plain listener is the rig's own, and may do everything.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
connection.failed.authentication.delay.ms=0
ssl.keystore.type=PEM
ssl.keystore.location=$tls/broker-store.pem
ssl.truststore.type=PEM
ssl.truststore.location=$tls/ca.pem
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.mutual.ssl.client.auth=required
PROPERTIES
