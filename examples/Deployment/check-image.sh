#!/usr/bin/env bash
# check-image.sh [--keep] [jit] [aot]: builds Dockerfile and Dockerfile.aot without an engine, and runs the images as Kubernetes would (both).
#
# buildah executes the Dockerfiles, in a chroot. The images that they begin with are not fetched: images of the same names are made here, from
# Debian's packages and this machine's .NET. "sdk" is a small Debian with the SDK; the chiselled ones are the files of the packages that they
# need and nothing else: no shell, no package manager. NuGet's packages are those of this user, as far as they are there.
#
# Then, of each image:
#   - it names a user by number who is not root, and has a health check;
#   - a second build after a change of a source takes the restore from the layers that are there;
#   - there is no shell in it;
#   - it serves as process 1 of its own namespaces, as its user, without capabilities and no-new-privileges, on a root that is read-only and has no
#     writable folder; the health check's command says 0, and 1 when nobody serves;
#   - SIGTERM ends it with 0, while a request that is under way is answered.
#
# What it does not show: that the images of Ubuntu that the Dockerfiles name are as these are, and an engine's network and limits.
# Needs root, buildah, mmdebstrap and curl, and some 4 GB on the disk of TMPDIR, which are removed, but for --keep. Takes minutes. Exit code 77: a tool is missing.
set -euo pipefail
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit "$1"; }

keep=0
images=()
while (($# > 0)); do
    case $1 in
        --help) usage 0 ;;
        --keep) keep=1 ;;
        jit | aot) images+=("$1") ;;
        *) usage 1 ;;
    esac
    shift
done
((${#images[@]} > 0)) || images=(jit aot)
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
need buildah mmdebstrap curl unshare setpriv nsenter
((EUID == 0)) || { echo "skipped: it needs root"; exit 77; }
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dotnet=$(dirname "$(realpath "$(command -v dotnet)")")
packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}
store=$scratch/store
user=1654 # of the images of .NET

export BUILDAH_ISOLATION=chroot
driver=overlay
image() { local verb=$1; shift; command buildah --root "$store" --runroot "$scratch/run" --storage-driver "$driver" "$verb" "$@"; }

clean() {
    if ((keep)); then
        echo "kept: $store"
    else
        image umount --all > "$scratch/umount" 2>&1 || true
        image rm --all > "$scratch/rm" 2>&1 || true
        image rmi --all --force > "$scratch/rmi" 2>&1 || true
        umount "$store/overlay" 2> "$scratch/umount" || true
    fi
    finish
}
trap clean EXIT

# ---- The images to begin with ----

debian() { # debian VARIANT PACKAGES TAR
    mmdebstrap --quiet --variant="$1" --include="$2" bookworm "$3" > "$scratch/mmdebstrap" 2>&1 || { cat "$scratch/mmdebstrap"; die "mmdebstrap"; }
}

base() { # base NAME TAR: prints the container, of which `commit` makes the image NAME
    local container
    container=$(image from scratch)
    image add --quiet "$container" "$2" / > "$scratch/add"
    image config --env "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$container"
    echo "$container"
}

commit() { # commit CONTAINER NAME
    image commit --quiet --format docker "$1" "$2" > "$scratch/commit"
    image rm "$1" > "$scratch/rm"
}

sdk_image() {
    local container
    debian minbase ca-certificates,libicu72,libssl3,libstdc++6,zlib1g "$scratch/sdk.tar"
    container=$(base sdk "$scratch/sdk.tar")
    image add --quiet "$container" "$dotnet" /usr/share/dotnet > "$scratch/add"
    image run "$container" ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
    image config --env DOTNET_CLI_TELEMETRY_OPTOUT=1 --env DOTNET_NOLOGO=1 "$container"
    commit "$container" mcr.microsoft.com/dotnet/sdk:10.0-noble
}

chiselled_images() {
    local container
    debian extract libc6,libgcc-s1,libstdc++6,zlib1g,libssl3 "$scratch/deps.tar"
    mkdir -p "$scratch/files/etc"
    echo "root:x:0:0:root:/root:/sbin/nologin
app:x:$user:$user::/home/app:/bin/false" > "$scratch/files/etc/passwd"
    container=$(base deps "$scratch/deps.tar")
    image add --quiet "$container" "$scratch/files/etc/passwd" /etc/passwd > "$scratch/add"
    image config --env APP_UID=$user --env DOTNET_RUNNING_IN_CONTAINER=true --env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true --user $user "$container"
    commit "$container" mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled
    container=$(image from --pull-never mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled)
    image add --quiet "$container" "$dotnet/dotnet" /usr/share/dotnet/dotnet > "$scratch/add"
    image add --quiet "$container" "$dotnet/host" /usr/share/dotnet/host > "$scratch/add"
    image add --quiet "$container" "$dotnet/shared/Microsoft.NETCore.App" /usr/share/dotnet/shared/Microsoft.NETCore.App > "$scratch/add"
    commit "$container" mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled
}

# ---- Building ----

build() { # build DOCKERFILE NAME CONTEXT
    local volume=()
    [[ ! -d $packages ]] || volume=(--volume "$packages:/root/.nuget/packages:O")
    image build --layers --format docker --pull-never "${volume[@]}" --file "$3/$1" --tag "$2" "$3" > "$scratch/build.log" 2>&1 ||
        { tail -n 40 "$scratch/build.log"; die "$1 does not build"; }
}

# ---- Running ----

configuration() { image inspect --type image --format "$2" "$1"; }

# In namespaces of its own, with a root that is read-only throughout; what is mounted there is gone with it.
cat > "$scratch/run-read-only" <<'END'
#!/usr/bin/env bash
set -euo pipefail
root=$1 user=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,size=64k tmpfs "$root/dev"
touch "$root/dev/null" "$root/dev/urandom"
mount --bind /dev/null "$root/dev/null"
mount --bind /dev/urandom "$root/dev/urandom"
mount -o remount,ro "$root/dev"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs --clear-groups env --ignore-environment "${VARIABLES[@]}" \
    unshare --root="$root" --wd=/app --setgid "$user" --setuid "$user" "$@"
END
# An array does not pass through the environment: the variables of the image are written in.
run_read_only() { # run_read_only NAME ROOT COMMAND...
    local name=$1 root=$2 variables; shift 2
    variables=$(configuration "$name" '{{range .OCIv1.Config.Env}}{{printf "%q " .}}{{end}}')
    sed "s|^root=|VARIABLES=($variables)\nroot=|" "$scratch/run-read-only" > "$scratch/run-$name"
    chmod +x "$scratch/run-$name"
    exec unshare --mount --pid --ipc --uts --fork --kill-child "$scratch/run-$name" "$root" "$user" "$@"
}

check() { # check NAME
    local name=$1 container root health entry process
    [[ $(configuration "$name" '{{.OCIv1.Config.User}}') == "$user" ]] || die "the user of $name is '$(configuration "$name" '{{.OCIv1.Config.User}}')'"
    health=$(configuration "$name" '{{range .Docker.Config.Healthcheck.Test}}{{.}} {{end}}')
    [[ $health == "CMD "* ]] || die "$name has no health check that needs no shell: '$health'"
    entry=$(configuration "$name" '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}')
    echo "ok  user $user, health check: $health"

    container=$(image from --pull-never "$name")
    root=$(image mount "$container")
    [[ ! -e $root/bin/sh && ! -e $root/usr/bin/sh && ! -e $root/usr/bin/apt-get ]] || die "there is a shell in $name"
    mkdir -p "$root/proc" "$root/dev" # as an engine does
    echo "ok  no shell; $(du -sm "$root" | cut -f1) MB, of which $(du -sm "$root/app" | cut -f1) MB are the program's"

    local port url
    port=$(free_port)
    url=http://127.0.0.1:$port
    : > "$log"
    # shellcheck disable=SC2086 # words
    (run_read_only "$name" "$root" $entry --listen "127.0.0.1:$port" --drain 1) > "$log" 2>&1 &
    local holder=$!
    started "$holder"
    within 60 grep -q 'Listening on' "$log"
    process=$(pgrep -P "$holder")
    grep -Eq "^NSpid:.*\s1$" "/proc/$process/status" || die "it is not process 1 of its namespace"
    grep -Eq "^Uid:\s$user\s$user\s$user\s$user$" "/proc/$process/status" || die "it runs as $(grep ^Uid "/proc/$process/status")"
    grep -Eq "^CapEff:\s0+$" "/proc/$process/status" && grep -Eq "^NoNewPrivs:\s1$" "/proc/$process/status" || die "it has rights"
    [[ -z $(awk '$5 != "/proc" && $6 !~ /^ro/ { print $5 }' "/proc/$process/mountinfo" | grep -v '^/dev/') ]] ||
        die "something is writable: $(awk '$6 !~ /^ro/ { print $5 }' "/proc/$process/mountinfo" | tr '\n' ' ')"
    [[ $(curl -s -m 10 "$url/hello/gopher") == "Hello, gopher!" ]] || die "it does not answer"
    echo "ok  serves as process 1, user $user, without capabilities, on a read-only root"

    # shellcheck disable=SC2206
    local probe=(${health#CMD })
    probe[-1]=$url/health/live
    healthy() { nsenter --target "$process" --mount --pid --root --setgid "$user" --setuid "$user" "${probe[@]}" > "$scratch/probe.log" 2>&1; }
    within 30 healthy # an engine asks more than once, too: on a busy machine it may be late
    probe[-1]=http://127.0.0.1:1/
    ! healthy || die "the health check says that all is well where nobody serves"
    echo "ok  the health check's command says 0, and 1 where nobody serves"

    curl -s -m 15 "$url/sleep?ms=2000" > "$scratch/slept" &
    local slow=$!
    sleep 0.5
    kill -TERM "$process"
    ended "$holder" 15
    wait "$slow"
    ((status == 0)) || die "the exit code is $status"
    [[ $(cat "$scratch/slept") == slept ]] || die "the request that was under way was lost"
    echo "ok  SIGTERM: the request under way was answered, the exit code is 0"
    image umount "$container" > "$scratch/umount"
    image rm "$container" > "$scratch/rm"
}

sdk_image
chiselled_images
echo "ok  images to begin with: $(image images --format '{{.Name}}:{{.Tag}} {{.Size}}' | grep dotnet/ | sed 's|mcr.microsoft.com/dotnet/||' | paste -sd,)"
mkdir "$scratch/context"
git -C "$source_folder" ls-files -z -- src examples/Deployment 'Directory.*' .editorconfig .dockerignore Dockerfile Dockerfile.aot |
    tar -C "$source_folder" --null --files-from=- --create | tar -C "$scratch/context" --extract

for name in "${images[@]}"; do
    dockerfile=Dockerfile
    [[ $name == jit ]] || dockerfile=Dockerfile.aot
    echo "== $dockerfile"
    before=$SECONDS
    build "$dockerfile" "netgo-service-$name" "$scratch/context"
    echo "ok  built in $((SECONDS - before)) s"
    check "netgo-service-$name"
done
if [[ " ${images[*]} " == *" jit "* ]]; then
    echo "// a change" >> "$scratch/context/examples/Deployment/Program.cs"
    build Dockerfile netgo-service-jit "$scratch/context"
    awk '/STEP [0-9]/ { step = $0 } /Using cache/ && step ~ /RUN dotnet restore/ { cached = 1 } END { exit !cached }' "$scratch/build.log" ||
        { cat "$scratch/build.log"; die "after a change of a source the packages are restored anew"; }
    echo "ok  after a change of a source the restore is taken from its layer"
fi
echo passed
