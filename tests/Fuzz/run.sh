#!/usr/bin/env bash
# Coverage-guided fuzzing of the HTTP/1.1 code with afl-fuzz over SharpFuzz.
# usage: run.sh SECONDS [DIRECTORY]
# Builds, copies to DIRECTORY (a temporary one unless told), instruments NetGo.Http there, and fuzzes from the corpus for so long. Fails when an input was
# found that breaks what must hold; it is printed, and stays in DIRECTORY/found. Needs afl-fuzz (Debian: afl++); exits with 77 without it.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: run.sh SECONDS [DIRECTORY]}
scratch=${2:-$(mktemp -d)}
command -v afl-fuzz > /dev/null || { echo "afl-fuzz cannot be found"; exit 77; }

mkdir -p "$scratch"
[ -x "$scratch/tool/sharpfuzz" ] || dotnet tool install --tool-path "$scratch/tool" SharpFuzz.CommandLine --version 2.3.0 > "$scratch/tool.log" 2>&1 \
    || { tail -n 3 "$scratch/tool.log"; echo "sharpfuzz cannot be installed"; exit 77; }
rm -rf "$scratch/bin" "$scratch/corpus" "$scratch/found"
dotnet build -c Release -v quiet -nologo
cp -r bin/Release/net10.0 "$scratch/bin"
"$scratch/bin/NetGo.Fuzz" --corpus "$scratch/corpus"
"$scratch/tool/sharpfuzz" "$scratch/bin/NetGo.Http.dll"

# The machine's core pattern and governor are not ours to set.
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1 AFL_AUTORESUME=1
export DOTNET_TieredPGO=0
afl-fuzz -i "$scratch/corpus" -o "$scratch/found" -V "$seconds" -t 20000 -m none -- "$scratch/bin/NetGo.Fuzz" --afl > "$scratch/afl.log" 2>&1 \
    || { tail -n 20 "$scratch/afl.log"; exit 1; }
grep -E '^(execs_done|execs_per_sec|corpus_count|corpus_found|saved_crashes|saved_hangs|edges_found)' "$scratch/found/default/fuzzer_stats"

failed=0
for input in "$scratch"/found/default/crashes/id* "$scratch"/found/default/hangs/id*; do
    [ -e "$input" ] || continue
    failed=1
    echo "$input"
    "$scratch/bin/NetGo.Fuzz" --input "$input" || true
done
exit "$failed"
