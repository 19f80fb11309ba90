#!/usr/bin/env bash
# check-manifests.sh [--self-test]: the manifests in kubernetes/ against Kubernetes' schema, and against one another.
#
# manifests-check/check.mjs says what is checked. Needs node and npm, which installs what manifests-check/package-lock.json names; where kubectl
# is installed, its kustomize builds them too. No cluster. With --self-test copies of the manifests are broken in thirteen ways, one at a time, and each
# must be found. Exit code 77: a tool is missing.
set -euo pipefail
cd "$(dirname "$0")"
case ${1:-} in
    '' | --self-test) ;;
    *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$(basename "$0")"; [[ $1 == --help ]]; exit ;;
esac

skip() { echo "skipped: $1"; exit 77; }
command -v node > /dev/null && command -v npm > /dev/null || skip "node or npm is not installed"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Installed once for a lock file.
checker=manifests-check
if ! cmp -s "$checker/package-lock.json" "$checker/node_modules/.installed"; then
    (cd "$checker" && npm ci --no-audit --no-fund --loglevel=error) || skip "npm cannot install what package-lock.json names"
    cp "$checker/package-lock.json" "$checker/node_modules/.installed"
fi

node "$checker/check.mjs" kubernetes
if command -v kubectl > /dev/null; then
    kubectl kustomize kubernetes > "$scratch/built"
    echo "kubectl kustomize: $(grep -c '^kind:' "$scratch/built") objects"
fi
[[ ${1:-} == --self-test ]] || exit 0

broken() { # broken FILE SED-EXPRESSION FAULT: is found, and named so
    rm -rf "$scratch/broken"
    cp -r kubernetes "$scratch/broken"
    sed -i "$2" "$scratch/broken/$1"
    if cmp -s "kubernetes/$1" "$scratch/broken/$1"; then echo "FAILED: '$2' changes nothing in $1"; exit 1; fi
    if node "$checker/check.mjs" "$scratch/broken" > "$scratch/found" || ! grep -q -- "$3" "$scratch/found"; then
        echo "FAILED: '$2' in $1 is not found as '$3':"; cat "$scratch/found"; exit 1
    fi
    echo "found: $(grep -m 1 -- "$3" "$scratch/found" | cut -c 9-150)"
}

broken deployment.yaml 's/periodSeconds: 10/periodSecond: 10/' '"periodSecond"'
broken deployment.yaml 's/containerPort: 8080/containerPort: "8080"/' "type 'number'"
broken deployment.yaml 's/- name: service/- image: other/' "image"
broken deployment.yaml 's/ScheduleAnyway/Sometimes/' "Sometimes"
broken deployment.yaml 's/terminationGracePeriodSeconds: 45/terminationGracePeriodSeconds: 30/' "35 s to end"
broken deployment.yaml 's/readOnlyRootFilesystem: true/readOnlyRootFilesystem: false/' "readOnlyRootFilesystem"
broken deployment.yaml 's/drop: \["ALL"\]/&\n              add: ["NET_ADMIN"]/' "it has capabilities"
broken deployment.yaml 's/allowPrivilegeEscalation: false/&\n            runAsNonRoot: false/' "runAsNonRoot is not true"
broken deployment.yaml 's/automountServiceAccountToken: false/&\n      hostNetwork: true/' "namespace of the host's"
broken service.yaml 's/targetPort: http/targetPort: web/' "no port web"
broken horizontalpodautoscaler.yaml 's/maxReplicas/maximumReplicas/' "maximumReplicas"
broken poddisruptionbudget.yaml 's/policy\/v1/policy\/v3/' "no kind PodDisruptionBudget in policy/v3"
broken kustomization.yaml '/service.yaml/d' "service.yaml is left out"
