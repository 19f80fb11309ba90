#!/usr/bin/env bash
# The live page in Chromium: run.sh [--screenshots]. Exits with 77, and says why, where it cannot be run.
set -uo pipefail
cd "$(dirname "$0")"

skip() { echo "skipped: $1"; exit 77; }

command -v node > /dev/null || skip "there is no node"
command -v npm > /dev/null || skip "there is no npm"
command -v chromium > /dev/null || skip "there is no chromium"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node is older than 20"

# Installed once for a lock file.
if ! cmp -s package-lock.json node_modules/.installed; then
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error || skip "npm cannot install what package-lock.json names"
    cp package-lock.json node_modules/.installed
fi

server=Server/bin/Release/net10.0/LiveServer
[ -x "$server" ] || dotnet build Server -c Release -p:RunAnalyzers=false > /dev/null || { echo "the server does not build"; exit 1; }

if [ "${1:-}" = --screenshots ]; then
    exec node screenshots.mjs "$server" ../../docs/images
fi
exec node --test --test-reporter=spec page.test.mjs
