#!/bin/sh
# Starts a sentinel, which keeps what it learns in /sentinel.
set -eu
me="$HOSTNAME.$SERVICE"
first="${HOSTNAME%-*}-0.$SERVICE"
if [ ! -s /sentinel/sentinel.conf ]; then
    cat >/sentinel/sentinel.conf <<CONF
port 26379
bind * -::*
protected-mode no
dir /tmp
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $me
sentinel monitor sluice $first 6379 2
sentinel down-after-milliseconds sluice 3000
sentinel failover-timeout sluice 15000
sentinel parallel-syncs sluice 1
CONF
fi
exec redis-sentinel /sentinel/sentinel.conf
