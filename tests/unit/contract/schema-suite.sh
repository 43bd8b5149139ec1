#!/bin/sh
# Runs schema-suite with the official JSON-Schema-Test-Suite, draft 2020-12, required cases.
#   schema-suite.sh <schema-suite program> [folder to keep downloads in]
# The suite comes from PyPI: the source archive of `jsonschema` carries it, `jsonschema-specifications` the metaschemas.
set -eu
program=$(realpath "$1")
folder=${2:-${TMPDIR:-/tmp}/shimin-schema-suite}
mkdir -p "$folder"
cd "$folder"
if ! [ -d jsonschema-4.26.0/json/tests/draft2020-12 ]; then
  python3 -m pip download --quiet --no-deps --no-binary jsonschema jsonschema==4.26.0
  tar xzf jsonschema-4.26.0.tar.gz
fi
if ! [ -d jsonschema_specifications/schemas ]; then
  python3 -m pip download --quiet --no-deps --only-binary :all: jsonschema-specifications==2025.9.1
  python3 -m zipfile -e jsonschema_specifications-2025.9.1-*.whl .
fi
exec "$program" jsonschema-4.26.0/json/tests/draft2020-12 jsonschema-4.26.0/json/remotes \
  jsonschema_specifications/schemas/draft202012
