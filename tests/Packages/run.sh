#!/usr/bin/env bash
# Whether the packages are of use to somebody who has only them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
    cat << 'END'
usage: run.sh [--keep FOLDER]

Packs all packages from a clone of this tree (what is not committed included) that has a tag and a remote of its own; looks into each; then
builds the program of each package's README.md in a project outside the tree that references that package only, and asks what it
serves. At last builds from sources without their repository, which have no tags.

  --keep FOLDER   the packages are copied there

Needs git, unzip, curl and the .NET SDK.
END
}

die() {
    echo "FAILED: $*" >&2
    exit 1
}

keep=
while (($# > 0)); do
    case $1 in
        --help) usage; exit 0 ;;
        --keep)
            (($# > 1)) || { usage >&2; exit 2; }
            keep=$2
            shift 2
            ;;
        *) usage >&2; exit 2 ;;
    esac
done

scratch=$(mktemp -d)
servers=()
# One compiler for all, which is this run's own and ends with it.
compiler=packages-$$
finish() {
    local pid file
    for pid in "${servers[@]}"; do
        kill -KILL "$pid" 2> "$scratch/kill" || true
        wait "$pid" 2> "$scratch/kill" || true
    done
    for file in /proc/[0-9]*/cmdline; do
        if tr '\0' ' ' 2> "$scratch/gone" < "$file" | grep -q -e "-pipename:$compiler "; then
            pid=${file%/*}
            kill "${pid#/proc/}" 2> "$scratch/kill" || true
        fi
    done
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

for tool in git unzip curl dotnet; do
    command -v "$tool" > "$scratch/which" || die "$tool is needed and not installed"
done

quietly() {
    "$@" > "$scratch/log" 2>&1 || { tail -n 40 "$scratch/log" >&2; die "'$*'"; }
}

said() { echo "ok, after $SECONDS s: $*"; }

copy_tree() { # copy_tree TO: the files of the tree as they are now, without what git ignores
    (cd "$root" && git ls-files -z --cached --others --exclude-standard -- . ':!docs' |
        { xargs -0 -r ls -d 2> "$scratch/gone" || true; } | tar -c -T -) | tar -x -C "$1"
}

# ---- Packing ----

source=$scratch/source feed=$scratch/feed
git -C "$root" rev-parse --git-dir > "$scratch/which" 2>&1 || die "this is no git repository, and what is packed is a clone of it"
# A version that no package of any other folder or source has, in numbers below 65,535.
seconds=$(date +%s)
version=1000.$((seconds / 50000)).$((seconds % 50000))
host=https://github.com/example/netgo
quietly git clone -q --shared --no-checkout "$root" "$source"
quietly git -C "$source" reset -q
quietly git -C "$source" remote set-url origin "$host"
quietly git -C "$source" -c user.name=check -c user.email=check@example.invalid tag "v$version"
copy_tree "$source"

cat > "$scratch/source/pack.slnx" << 'END'
<Solution>
  <Project Path="src/Scheduler/Scheduler.csproj" />
  <Project Path="src/Netpoll/Netpoll.csproj" />
  <Project Path="src/Http/Http.csproj" />
  <Project Path="src/Connections/Connections.csproj" />
  <Project Path="src/Kestrel/Kestrel.csproj" />
  <Project Path="src/Diagnostics/Diagnostics.csproj" />
</Solution>
END
# Analysed it has been by the build of the tree.
options=(-p:RunAnalyzers=false -p:UseSharedCompilation=true "-p:SharedCompilationId=$compiler" -nodeReuse:false)
quietly dotnet pack "$source/pack.slnx" -c Release -o "$feed" "${options[@]}"
said "packed as $version"

# ---- What is in them ----

mkdir "$scratch/unpacked"
unpacked() { echo "$scratch/unpacked/$1"; } # unpacked NAME

check_package() { # check_package NAME DEPENDENCY...: these, and no others
    local name=$1 folder nuspec wanted got files=()
    shift
    folder=$(unpacked "$name")
    quietly unzip -q "$feed/$name.$version.nupkg" -d "$folder"
    quietly unzip -q "$feed/$name.$version.snupkg" -d "$folder.symbols"
    nuspec=$(< "$folder/$name.nuspec")
    for wanted in '<license type="expression">MIT</license>' '<icon>icon.png</icon>' '<readme>README.md</readme>' \
        '<description>' "<repository type=\"git\" url=\"$host\"" "commit=\"$(git -C "$root" rev-parse HEAD)\""; do
        [[ $nuspec == *"$wanted"* ]] || die "$name.nuspec does not have $wanted: $nuspec"
    done
    wanted=$(printf '%s\n' "$@" | sort)
    got=$(grep -o '<dependency id="[^"]*"' "$folder/$name.nuspec" | cut -d '"' -f 2 | sort)
    [[ $got == "$wanted" ]] || die "$name depends on $(echo $got), and not on $*"
    [[ $name != NetGo.Scheduler ]] || files+=(buildTransitive/NetGo.Scheduler.targets)
    wanted=$(printf '%s\n' "${files[@]}" README.md icon.png "$name.nuspec" "lib/net10.0/$name.dll" "lib/net10.0/$name.xml" | sort)
    got=$(cd "$folder" && find -- * -type f ! -path '_rels/*' ! -path 'package/*' ! -name '\[Content_Types\].xml' | sort)
    [[ $got == "$wanted" ]] || die "$name has other files in it: $(echo $got)"
    head -c 8 "$folder/icon.png" | cmp -s - <(printf '\x89PNG\r\n\x1a\n') || die "$name: icon.png is no PNG"
    grep -q "^# $name$" "$folder/README.md" || die "$name: README.md is not its own"
    grep -q '<summary>' "$folder/lib/net10.0/$name.xml" || die "$name.xml has no documentation in it"
    grep -aq '"documents":{"/_/\*":"https://raw.githubusercontent.com/example/netgo/' "$folder.symbols/lib/net10.0/$name.pdb" \
        || die "$name.pdb has no SourceLink"
    # In UTF-8, and in UTF-16 as its strings are.
    if tr -d '\0' < "$folder/lib/net10.0/$name.dll" | grep -aF "$scratch"; then
        die "$name.dll has a path of this machine in it"
    fi
}

logging=Microsoft.Extensions.Logging.Abstractions hosting=Microsoft.Extensions.Hosting.Abstractions
check_package NetGo.Scheduler "$logging"
check_package NetGo.Netpoll NetGo.Scheduler "$logging"
check_package NetGo.Http NetGo.Netpoll "$logging" "$hosting" Microsoft.AspNetCore.WebUtilities \
    Microsoft.Extensions.Configuration.Binder System.Threading.RateLimiting
check_package NetGo.Connections NetGo.Netpoll "$logging" "$hosting" Microsoft.AspNetCore.Connections.Abstractions \
    Pipelines.Sockets.Unofficial
check_package NetGo.Diagnostics NetGo.Http Microsoft.Diagnostics.NETCore.Client Microsoft.Diagnostics.Tracing.TraceEvent
check_package NetGo.Kestrel NetGo.Connections NetGo.Diagnostics
grep -q '<frameworkReference name="Microsoft.AspNetCore.App" />' "$(unpacked NetGo.Kestrel)/NetGo.Kestrel.nuspec" \
    || die "NetGo.Kestrel does not ask for the shared framework"
said "each package has its README, icon, licence, documentation, symbols and sources, and depends on nothing else"

# ---- Programs that have only the packages ----

outside=$scratch/outside
mkdir "$outside"
# Beside the machine's own sources. What is there of other packages is used; of these nothing is, because of their version.
machine=${NUGET_PACKAGES:-$HOME/.nuget/packages}
mkdir -p "$machine"
cat > "$outside/NuGet.config" << END
<configuration>
  <config><add key="globalPackagesFolder" value="$scratch/packages" /></config>
  <fallbackPackageFolders><add key="machine" value="$machine" /></fallbackPackageFolders>
  <packageSources><add key="packed" value="$feed" /></packageSources>
</configuration>
END

first_port=$((20000 + RANDOM % 10000))
names=(Scheduler Netpoll Http Connections Diagnostics Kestrel)
for i in "${!names[@]}"; do
    name=${names[i]} port=$((first_port + i)) sdk=Microsoft.NET.Sdk
    [[ $name != Kestrel ]] || sdk=Microsoft.NET.Sdk.Web
    mkdir "$outside/$name"
    cat > "$outside/$name/$name.csproj" << END
<Project Sdk="$sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
  </PropertyGroup>
  <ItemGroup><PackageReference Include="NetGo.$name" Version="$version" /></ItemGroup>
</Project>
END
    awk '/^```/ {inside = /^```csharp/ && !seen++; next} inside' "$(unpacked "NetGo.$name")/README.md" |
        sed "s/\":8080\"/\"127.0.0.1:$port\"/; s/7000/$port/" > "$outside/$name/Program.cs"
    [[ -s $outside/$name/Program.cs ]] || die "the README of NetGo.$name has no program"
done
(cd "$outside" && { echo '<Solution>'; printf '  <Project Path="%s" />\n' */*.csproj; echo '</Solution>'; } > outside.slnx)
quietly dotnet build "$outside/outside.slnx" "${options[@]}"
for name in "${names[@]}"; do
    [[ -f $scratch/packages/netgo.${name,,}/$version/netgo.${name,,}.nuspec ]] || die "the program of NetGo.$name was not built from the package"
done
said "the programs of the READMEs build from the packages alone"

program() { echo "$outside/$1/bin/Debug/net10.0/$1"; }

begin() { # begin NAME ARGUMENT...
    local name=$1
    shift
    (cd "$outside/$name" && exec "$(program "$name")" "$@") > "$scratch/$name.log" 2>&1 &
    servers+=("$!")
}

soon() { # soon WHAT COMMAND...: it succeeds within 20 s
    local what=$1 tries
    shift
    for ((tries = 0; tries < 100; tries++)); do
        if "$@" > "$scratch/answer" 2>&1; then return 0; fi
        sleep 0.2
    done
    cat "$scratch/answer" >&2
    die "$what"
}

gets() { [[ $(curl -sS -m 5 "http://127.0.0.1:$1$2") == *"$3"* ]]; } # gets PORT PATH PART

echoes() { # echoes PORT
    exec 3<> "/dev/tcp/127.0.0.1/$1" || return 1
    echo 'what was said' >&3
    local line=
    read -r -t 5 line <&3 || true
    exec 3>&-
    [[ $line == 'what was said' ]]
}

[[ $(timeout 20 "$(program Scheduler)") == 285 ]] || die "the program of NetGo.Scheduler does not print 285"
begin Netpoll
begin Http
begin Connections
begin Diagnostics
begin Kestrel --urls "http://127.0.0.1:$((first_port + 5))"
soon "the program of NetGo.Netpoll does not echo" echoes $((first_port + 1))
soon "the program of NetGo.Http does not answer" gets $((first_port + 2)) /hello/gopher 'Hello, gopher!'
soon "the program of NetGo.Connections does not echo" echoes $((first_port + 3))
soon "the program of NetGo.Diagnostics has no goroutines" gets $((first_port + 4)) '/debug/pprof/goroutine?debug=2' 'goroutine 1'
soon "the program of NetGo.Kestrel does not answer" gets $((first_port + 5)) /hello/gopher 'Hello, gopher!'
said "they serve"

# ---- Sources without their repository ----

bare=$scratch/bare
mkdir "$bare"
copy_tree "$bare"
CI=true quietly dotnet build "$bare/src/Scheduler" -c Release "${options[@]}"
grep -q '"NetGo.Scheduler/0.1.0-local"' "$bare/src/Scheduler/bin/Release/net10.0/NetGo.Scheduler.deps.json" \
    || die "sources without their repository are not built as 0.1.0-local"
said "sources without their repository build"

if [[ -n $keep ]]; then
    mkdir -p "$keep"
    cp "$feed"/*.nupkg "$feed"/*.snupkg "$keep"
fi
