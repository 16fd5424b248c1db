#!/usr/bin/env bash
# What the database's container runs: MongoDB's own entrypoint, after a look at what would else go wrong in silence.
set -eu

refuse() {
    echo "NOT STARTED: $1" >&2
    exit 1
}

setup=${SETUP:-/setup}
data=${DATA:-/data/db}
first_scripts=${FIRST_SCRIPTS:-/docker-entrypoint-initdb.d}
unfinished=$data/.first-start-unfinished

[ "$MONGODB_USERNAME" != "$MONGO_INITDB_ROOT_USERNAME" ] ||
    refuse "MONGODB_USERNAME and MONGODB_ROOT_USERNAME are both '$MONGODB_USERNAME'. Give the service a name of its own in .env."

# A first start that was killed leaves a database without users, which the entrypoint would take for a finished one.
# Until the first start is over nobody can have stored anything: the server listens to the entrypoint alone.
if [ -e "$unfinished" ]; then
    echo "The first start was cut off before the users were made: it begins anew." >&2
    find "$data" -mindepth 1 -delete
fi

# Copied, because a checkout under umask 077 cannot be read by the user that the entrypoint turns into.
install -m 444 "$setup/service-user.js" "$first_scripts/10-service-user.js" ||
    refuse "docker/mongodb/service-user.js cannot be read."
echo "rm -f '$unfinished'" >"$first_scripts/20-finished.sh"
chmod 444 "$first_scripts/20-finished.sh"
[ -e "$data/WiredTiger" ] || touch "$unfinished"

exec docker-entrypoint.sh mongod ${MONGODB_CACHE_GB:+--wiredTigerCacheSizeGB "$MONGODB_CACHE_GB"}
