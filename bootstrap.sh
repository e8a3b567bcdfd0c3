#!/bin/sh
# Brings a Debian machine to the point where Quorate runs: apt packages that are missing, npm packages of the lock file.
# Idempotent; takes some milliseconds when nothing is to do. `--bench`: also what the benches need. `--test`: also a browser.
set -eu
cd "$(dirname "$0")"

need=""
case "${1:-}" in
  --bench) more="strace:strace debsums:debsums" ;;
  --test) more=chromium:chromium ;;
  *) more="" ;;
esac
for pair in redis-server:redis-server nats-server:nats-server mmdebstrap:mmdebstrap dpkg-buildpackage:dpkg-dev \
  apt-ftparchive:apt-utils gpgv:gpgv gpg:gpg gpg-agent:gpg-agent make:make setpriv:util-linux newuidmap:uidmap xz:xz-utils ip:iproute2 $more; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair%%:*}" ] || need="$need ${pair#*:}"
done
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || need="$need debian-archive-keyring"
if [ "${1:-}" = --test ]; then
  ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || need="$need postgresql"
  [ -d /usr/lib/python3/dist-packages/swift ] || need="$need python3-swift"
fi
if [ -n "$need" ]; then
  command -v apt-get >/dev/null 2>&1 || { echo "bootstrap: these Debian packages are missing and there is no apt-get:$need" >&2; exit 1; }
  [ "$(id -u)" = 0 ] || { echo "bootstrap: run as root once, or install:$need" >&2; exit 1; }
  echo "bootstrap: installing Debian packages:$need" >&2
  # Without the daemons that the packages would start: Quorate runs private ones.
  guard=/usr/sbin/policy-rc.d
  if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod 755 "$guard"
    trap 'rm -f "$guard"' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2 || { echo "bootstrap: apt-get cannot read its archives (above); a network is needed this once" >&2; exit 1; }
  # Another apt may be at work, as on a machine that has just started: it is waited for.
  # shellcheck disable=SC2086
  said=$(apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 $need 2>&1 >/dev/null) || {
    printf '%s\nbootstrap: apt-get could not install:%s\n' "$said" "$need" >&2
    exit 1
  }
fi

stamp=node_modules/.quorate-bootstrap
want=$(cat package-lock.json package.json packages/*/package.json services/*/package.json | sha256sum | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ]; then
  echo "bootstrap: installing npm packages" >&2
  npm ci --no-audit --no-fund --no-json --loglevel=error >&2 || {
    echo "bootstrap: npm could not install the packages of the lock file (above); it needs a network, and 1 GB of disk, this once" >&2
    exit 1
  }
  PATH="$PWD/node_modules/.bin:$PATH" node -e 'const [a,b]=process.versions.node.split(".").map(Number); if (a<24||(a===24&&b<15)) { console.error("bootstrap: Node 24.15 or newer is needed; this is "+process.version); process.exit(1) }'
  echo "$want" >"$stamp"
fi
