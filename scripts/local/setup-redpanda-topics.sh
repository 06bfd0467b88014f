#!/bin/sh
# Creates the topics of odin.toml and of the catalogue in the local event log; those that exist stay.
# Arguments go to the command behind it; --help lists them.
set -eu
cd -- "$(dirname -- "$0")/../.."
exec ./odin local topics create "$@"
