#!/bin/sh
# Sets the local platform up and proves it: `./task up`, then the probes of `./task health`.
# Arguments go to `./task up`, for example: scripts/local/setup-local.sh TIMEOUT=60
set -eu
cd -- "$(dirname -- "$0")/../.."
./task up "$@"
exec ./task health
