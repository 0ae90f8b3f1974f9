#!/bin/sh
# Starts Redis as a replica of the master that a sentinel names, or, where none does, of the first pod.
set -eu
me="$HOSTNAME.$SERVICE"
first="${HOSTNAME%-*}-0.$SERVICE"
master=
for number in 0 1 2; do
    sentinel="${HOSTNAME%-*}-$number.$SERVICE"
    master=$(timeout 2 redis-cli -h "$sentinel" -p 26379 --raw sentinel get-master-addr-by-name sluice 2>/dev/null | head -n 1) || master=
    [ -z "$master" ] || break
done
[ -n "$master" ] || master=$first
set -- --port 6379 --bind '* -::*' --protected-mode no --dir /data --appendonly yes --maxmemory 96mb \
    --maxmemory-policy allkeys-lru --replica-announce-ip "$me" --replica-announce-port 6379
[ "$master" = "$me" ] || set -- "$@" --replicaof "$master" 6379
exec redis-server "$@"
