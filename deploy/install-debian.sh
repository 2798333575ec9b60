#!/usr/bin/env bash
# Install Debian packages, as root or through sudo; without either, name them and stop.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  echo "These Debian packages are needed, ask your administrator: $*" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null; then
  echo "This is no Debian system; install the equivalents of: $*" >&2
  exit 1
fi
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@"
