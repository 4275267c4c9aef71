#!/usr/bin/env bash
# Makes the Debian package of the build in a folder (target/debug) and lives through what happens to one: it is installed in a root
# made for this, used, replaced by a newer one, removed, purged. Ends with the first thing that is not as it should be; the
# last line is "the package is sound". Needs root, mmdebstrap and cargo-deb.
set -euo pipefail
# What is mounted here is seen by nobody else, and gone with the last process.
[ -n "${ROSTERD_MOUNTS_APART:-}" ] || ROSTERD_MOUNTS_APART=yes exec unshare --mount "$0" "$@"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=$(cd "$1" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/rosterd-package-XXXXXX")
root=$work/root
daemon=
tidy() {
    if [ -n "$daemon" ]; then kill -9 "$daemon" 2> /dev/null || true; fi
    umount "$root/proc" 2> /dev/null || true
    rm -rf --one-file-system "$work"
}
trap tidy EXIT
export LC_ALL=C

fail() { echo "WRONG: $*" >&2; exit 1; }
is() { [ "$2" = "$3" ] || fail "$1 is '$2' and not '$3'"; }
inside=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive chroot "$root")
inside() { "${inside[@]}" "$@"; }
# As the units do it.
service=("${inside[@]}" setpriv --reuid=rosterd --regid=rosterd --init-groups --no-new-privs --bounding-set=-all)
service+=(sh -c 'umask 0077; exec "$@"' sh)
as_service() { "${service[@]}" "$@"; }
mode() { inside stat --format '%A %U:%G' "$1"; }
dpkg_in() { inside dpkg --force-confold "$@" > "$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2; fail "dpkg $*"; }; }
# What a package may change: everything but the package manager's own notes, and the copies that tools for users keep.
listing() {
    inside find / -xdev \( -path /proc -o -path /sys -o -path /var/lib/dpkg -o -path /var/log -o -path /packages \) -prune -o -printf '%p %M %u:%g\n' |
        grep -vE '^/etc/(passwd-|group-|shadow-|gshadow-|subuid-|subgid-|\.pwd\.lock) ' | sort
    inside cat /etc/passwd /etc/group /etc/shadow /etc/gshadow
}

# A Debian of this machine's release, with as little in it as there can be; made once.
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
base=$here/target/debian-root/$suite.tar
if ! [ -f "$base" ]; then
    mkdir -p "${base%/*}"
    sources=/etc/apt/sources.list.d/debian.sources
    [ -f "$sources" ] || sources=/etc/apt/sources.list
    mmdebstrap --quiet --variant=essential --include=passwd,systemd-standalone-sysusers,systemd-standalone-tmpfiles \
        "$suite" "$base.new.tar" "$sources"
    mv "$base.new.tar" "$base"
fi
mkdir "$root"
tar --extract --file "$base" --directory "$root" --numeric-owner --same-permissions
mount -t proc proc "$root/proc"
before=$(listing)
mkdir "$root/packages"

# The package, and one of an older version with other settings in it.
newer=$("$here/systemd/debian/build" "$built" --fast --output "$work/newer.deb")
cp "$newer" "$root/packages/newer.deb"
dpkg-deb --raw-extract "$newer" "$work/older"
sed -i 's/^Version: .*/Version: 0.0.1-1/' "$work/older/DEBIAN/control"
echo '# Settings of an older version.' >> "$work/older/etc/rosterd/rosterd.toml"
sed -i "s|^[0-9a-f]*  etc/rosterd/rosterd.toml|$(md5sum < "$work/older/etc/rosterd/rosterd.toml" | cut -c1-32)  etc/rosterd/rosterd.toml|" "$work/older/DEBIAN/md5sums" 2> /dev/null || true
dpkg-deb -Znone --root-owner-group --build "$work/older" "$root/packages/older.deb" > /dev/null

echo "== the older version is installed"
dpkg_in --install /packages/older.deb
is "the state" "$(inside dpkg-query --show --showformat '${Version} ${Status}' rosterd)" "0.0.1-1 install ok installed"
is "the user" "$(inside getent passwd rosterd | cut -d: -f5-)" "rosterd:/var/lib/rosterd:/usr/sbin/nologin"
is "the password" "$(inside getent shadow rosterd | cut -d: -f2 | tr -d '!*')" ""
[ "$(inside id -u rosterd)" -lt 1000 ] || fail "the user is not the system's"
is "the books' folder" "$(mode /var/lib/rosterd)" "drwxr-x--- rosterd:rosterd"
is "the backups' folder" "$(mode /var/backups/rosterd)" "drwx------ rosterd:rosterd"
is "the settings' folder" "$(mode /etc/rosterd)" "drwxr-x--- root:rosterd"
is "the settings" "$(mode /etc/rosterd/rosterd.toml)" "-rw-r----- root:rosterd"
for wanted in multi-user.target.wants/rosterd.service timers.target.wants/rosterd-backup.timer; do
    [ -L "$root/etc/systemd/system/$wanted" ] || fail "$wanted is not enabled"
done
for file in usr/share/man/man1/rosterd-pool-grant.1.gz usr/share/man/man1/rosterd-what-if.1.gz usr/share/bash-completion/completions/rosterd \
    usr/share/doc/rosterd/OPERATING.md usr/share/doc/rosterd/examples/example-district.toml; do
    [ -s "$root/$file" ] || fail "$file is not there"
done

echo "== it is checked and started as the unit says"
is "the program" "$(inside rosterd --version)" "rosterd $(sed -n 's/^version = "\(.*\)"/\1/p' "$here/Cargo.toml" | head -n 1)"
as_service rosterd check > "$work/check.log" || { cat "$work/check.log"; fail "the settings that come with it are refused"; }
if inside setpriv --reuid=nobody --regid=nogroup --clear-groups rosterd check > /dev/null 2>&1; then fail "anybody reads the settings"; fi
printf '[http]\nlisten = "127.0.0.1:0"\n' >> "$root/etc/rosterd/rosterd.toml"
read -ra start <<< "$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/rosterd.service")"
"${service[@]}" "${start[@]}" 2> "$work/daemon.log" &
daemon=$!
for _ in $(seq 300); do
    port=$(sed -n '/"event":"door_opened"/s/.*"address":"127\.0\.0\.1:\([0-9]*\)".*/\1/p' "$work/daemon.log")
    if [ -n "$port" ] || ! kill -0 "$daemon" 2> /dev/null; then break; fi
    sleep 0.1
done
[ -n "$port" ] || { cat "$work/daemon.log"; fail "the daemon opened no door"; }
ask() { exec 3<> "/dev/tcp/127.0.0.1/$port"; printf 'GET %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n' "$1" >&3; head -n 1 <&3 | tr -d '\r'; exec 3>&-; }
is "the answer of /livez" "$(ask /livez)" "HTTP/1.1 200 OK"
is "the answer of /readyz" "$(ask /readyz)" "HTTP/1.1 200 OK"
is "the books" "$(mode /var/lib/rosterd/rosterd.db)" "-rw------- rosterd:rosterd"
read -ra backup <<< "$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/rosterd-backup.service")"
as_service "${backup[@]}" > /dev/null
copies=("$root"/var/backups/rosterd/rosterd-*Z.db)
[ -s "${copies[0]}" ] || fail "there is no backup"
kill -TERM "$daemon"
ended=0
wait "$daemon" || ended=$?
daemon=
is "the end of the daemon" "$ended" 0
as_service rosterd audit verify > /dev/null || fail "the books are not proved"

echo "== a newer version takes its place"
dpkg_in --install /packages/newer.deb
[ "$(inside dpkg-query --show --showformat '${Version}' rosterd)" != "0.0.1-1" ] || fail "it is still the old one"
grep -q '^listen = "127.0.0.1:0"' "$root/etc/rosterd/rosterd.toml" || fail "the settings were written over"
[ -f "$root/etc/rosterd/rosterd.toml.dpkg-dist" ] || fail "the new settings are not laid beside"
is "the settings" "$(mode /etc/rosterd/rosterd.toml)" "-rw-r----- root:rosterd"
as_service rosterd check > /dev/null || fail "the newer version refuses the settings"

echo "== it is removed, and what is of value stays"
dpkg_in --remove rosterd
[ ! -e "$root/usr/bin/rosterd" ] || fail "the program is still there"
for kept in etc/rosterd/rosterd.toml var/lib/rosterd/rosterd.db "${copies[0]#"$root"/}"; do
    [ -s "$root/$kept" ] || fail "$kept is gone"
done
inside getent passwd rosterd > /dev/null || fail "the user is gone, its files are not"

echo "== it is purged: backups stay as long as somebody wants them"
dpkg_in --purge rosterd
[ -s "${copies[0]}" ] || fail "a purge took the backups"
grep -q "backups of the books stay" "$work/dpkg.log" || fail "nobody is told that backups stay"
inside getent passwd rosterd > /dev/null || fail "the backups are nobody's"
for gone in etc/rosterd var/lib/rosterd; do
    [ ! -e "$root/$gone" ] || fail "$gone is left"
done
rm -rf "$root/var/backups/rosterd"

echo "== it is installed once more and purged: nothing is left"
dpkg_in --install /packages/newer.deb
as_service rosterd check > /dev/null || fail "the settings that come with it are refused"
dpkg_in --purge rosterd
rm -r "$root/packages"
after=$(listing)
[ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after") >&2 || true; fail "something is left"; }
echo "the package is sound"
