#!/usr/bin/env bash
# Ask the server "hello" over its own protocol and wait for its answer: exit status 0 for yes. `healthcheck.sh [HOST [PORT]]`.
#
# Without mongosh, which costs more than a second of CPU each time. At the network name and not at localhost: while the
# image makes the users, a first, temporary server listens on localhost alone.
# The message is an OP_MSG of 52 bytes, {hello: 1, $db: "admin"}: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
set -eu

exec 3<>"/dev/tcp/${1:-mongodb}/${2:-27017}"
printf '\x34\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0\x1f\0\0\0\x10hello\0\1\0\0\0\2$db\0\6\0\0\0admin\0\0' >&3
timeout 5 head -c 200 <&3 | grep -aq isWritablePrimary
