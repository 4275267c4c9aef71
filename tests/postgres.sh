#!/usr/bin/env bash
# A PostgreSQL of the tests' own: a scratch cluster that listens on a socket in a folder, for as long as a process lives.
#   tests/postgres.sh FOLDER PID [NAME=VALUE...]     settings of the server; ssl_key_file is copied to where it may lie
#   tests/postgres.sh FOLDER start|stop|restart MODE
# Says 0 when it answers, 3 when no server is installed. FOLDER must be there and empty; it is deleted in the end. The port is
# that of PGPORT, for the socket too.
set -euo pipefail
folder=$1
pid=$2
shift 2

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
if [[ $pid != [0-9]* ]]; then
    exec "${as[@]}" "$bin/pg_ctl" "$pid" -s -w -m "$1" -D "$folder/data" -l "$folder/data/postgres.log"
fi

chmod 755 "$folder"
"${as[@]}" "$bin/initdb" -D "$folder/data" -U rosterd -A trust -E UTF8 --locale=C --no-sync --no-instructions > "$folder/initdb.log"
{
    printf '%s\n' "unix_socket_directories = '$folder'" "listen_addresses = ''" "fsync = off" "max_connections = 300" \
        "shared_buffers = 32MB"
    for setting in "$@"; do
        if [[ $setting = ssl_key_file=* ]]; then
            cp "${setting#*=}" "$folder/server-key.pem"
            chmod 600 "$folder/server-key.pem"
            [ "${#as[@]}" = 0 ] || chown postgres "$folder/server-key.pem"
            setting="ssl_key_file=$folder/server-key.pem"
        fi
        printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"
    done
} >> "$folder/data/postgresql.conf"
"${as[@]}" "$bin/postgres" -D "$folder/data" > "$folder/postgres.log" 2>&1 < /dev/null &
server=$!

# Goes on beside whoever waits for this script, and outlives it.
(
    while kill -0 "$pid" 2> /dev/null; do sleep 1; done
    # Another one than at first, if it was restarted.
    server=$(head -n 1 "$folder/data/postmaster.pid" 2> /dev/null || echo "$server")
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
