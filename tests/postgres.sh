#!/usr/bin/env bash
# A PostgreSQL of the tests' own: a scratch cluster that listens on a socket in a folder, for as long as a process lives.
#   tests/postgres.sh FOLDER PID
# Says 0 when it answers, 3 when no server is installed. FOLDER must be there and empty; it is deleted in the end.
set -euo pipefail
folder=$1
pid=$2

bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || echo /nowhere/initdb)")
[ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] || exit 3

# The server refuses to run as root.
as=()
if [ "$(id -u)" = 0 ]; then
    id postgres > /dev/null 2>&1 || exit 3
    chown postgres "$folder"
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups env -C "$folder" HOME="$folder")
fi
chmod 755 "$folder"
"${as[@]}" "$bin/initdb" -D "$folder/data" -U rosterd -A trust -E UTF8 --locale=C --no-sync --no-instructions > "$folder/initdb.log"
"${as[@]}" "$bin/postgres" -D "$folder/data" -k "$folder" -h "" -F -c max_connections=300 -c shared_buffers=32MB \
    > "$folder/postgres.log" 2>&1 < /dev/null &
server=$!

# Goes on beside whoever waits for this script, and outlives it.
(
    while kill -0 "$pid" 2> /dev/null && kill -0 "$server" 2> /dev/null; do sleep 1; done
    kill -INT "$server" 2> /dev/null || true
    while kill -0 "$server" 2> /dev/null; do sleep 0.2; done
    rm -rf "$folder"
) > /dev/null 2>&1 < /dev/null &

for _ in $(seq 200); do
    "$bin/pg_isready" -q -h "$folder" -U rosterd -d postgres && exit 0
    kill -0 "$server" 2> /dev/null || break
    sleep 0.1
done
cat "$folder/postgres.log" >&2
exit 1
