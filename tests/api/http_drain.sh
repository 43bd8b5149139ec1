#!/bin/sh
# A stop under load loses no request: two servers share the ports (SO_REUSEPORT), one of them is told to stop, and the load
# sees no error. http_drain.sh FIXTURE (tests/unit/http/http-fixture of a build). Needs wrk, h2load and openssl.
set -eu
fixture=$1
port=${2:-18580}
tls=$((port + 1))
dir=$(mktemp -d)
first= second=
finish() {
	for pid in $first $second; do kill -9 "$pid" 2>/dev/null || true; done
	rm -rf "$dir"
}
trap finish EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/key" -out "$dir/crt" -days 1 \
	-subj /CN=localhost 2>/dev/null

start() {
	"$fixture" "$port" "$tls" 1 "$dir/crt" "$dir/key" >"$dir/log.$1" 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		grep -q ready "$dir/log.$1" 2>/dev/null && return
		sleep 0.05
	done
	echo "the server did not start" >&2
	exit 1
}

# keep-alive: what wrk calls an error is a connection that ended without `connection: close`
start 1; first=$pid
start 2; second=$pid
wrk -t1 -c32 -d4s --latency "http://127.0.0.1:$port/small" >"$dir/wrk" 2>&1 &
load=$!
sleep 1
kill -TERM "$first"
wait "$first"
first=
wait "$load"
cat "$dir/wrk"
if grep -E "Socket errors|Non-2xx" "$dir/wrk"; then
	echo "HTTP/1.1: requests were lost" >&2
	exit 1
fi

# slow requests in flight: each is answered
start 3; first=$pid
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/slow" >>"$dir/slow" 2>&1 &
	eval "c$i=$!"
done
sleep 0.1
kill -TERM "$first"
wait "$first"
first=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	eval "wait \$c$i"
done
[ "$(sort "$dir/slow" | uniq -c | awk '{print $1, $2}')" = "16 200" ] || { echo "slow requests were lost" >&2; cat "$dir/slow"; exit 1; }

# HTTP/2 over TLS: requests under way when GOAWAY comes are answered
start 4; first=$pid
h2load -n 64 -c 4 -m 16 "https://127.0.0.1:$tls/slow" >"$dir/h2" 2>&1 &
load=$!
sleep 0.15
kill -TERM "$first"
wait "$first"
first=
wait "$load"
grep "^requests:" "$dir/h2"
grep -q " 64 succeeded, 0 failed" "$dir/h2" || { echo "HTTP/2: requests were lost" >&2; exit 1; }
echo "nothing was lost"
