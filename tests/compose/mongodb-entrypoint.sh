#!/usr/bin/env bash
# Stands in for the entrypoint of MongoDB's image, as its documents describe it: on an empty volume a server for this script
# alone makes the root user and runs the scripts of /docker-entrypoint-initdb.d, then the real one starts, with --auth.
set -eu
data=/data/db

if [ "$(id -u)" = 0 ]; then
    chown -R mongodb /data
    exec setpriv --reuid=mongodb --regid=mongodb --clear-groups "$BASH_SOURCE" "$@"
fi
if [ ! -e "$data/WiredTiger" ]; then
    mongod --dbpath "$data" --bind_ip 127.0.0.1 --fork --logpath /tmp/first.log --pidfilepath /tmp/first.pid >/dev/null
    mongosh --quiet --norc admin --eval 'db.createUser({user: process.env.MONGO_INITDB_ROOT_USERNAME,
        pwd: process.env.MONGO_INITDB_ROOT_PASSWORD, roles: ["root"]})'
    sleep "${SLOW_FIRST_START:-0}"
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
            *.js) mongosh --quiet --norc test "$script" ;;
            *.sh) . "$script" ;;
        esac
    done
    kill "$(cat /tmp/first.pid)"
    while kill -0 "$(cat /tmp/first.pid)" 2>/dev/null; do sleep 0.1; done
fi
shift
exec mongod --dbpath "$data" --auth --bind_ip_all "$@"
