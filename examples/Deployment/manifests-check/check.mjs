// Checks Kubernetes manifests without a cluster: node check.mjs FOLDER
//
//   - Each file is YAML without a key that stands twice, and has objects of kinds and versions that there are.
//   - Each object has the type that Kubernetes' OpenAPI schema gives it: TypeScript checks it as a literal of the interface made from the schema,
//     so that an unknown field, a missing one and a value that is none of an enumeration's are errors; the validator made from the schema adds
//     ranges and formats.
//   - The objects fit one another: selectors, names and ports, the time a pod has to end.
//   - Containers run without rights.
//
// Writes a line for each fault. Exit code 1 when there is one.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import ts from "typescript";
import { parse, parseAllDocuments } from "yaml";

const require = createRequire(import.meta.url);
const folder = process.argv[2];
if (folder === undefined || process.argv.length > 3) {
    console.error("usage: check.mjs FOLDER");
    process.exit(2);
}

const faults = [];
const fault = (where, what) => faults.push(`${where}: ${what}`);

function readObjects() {
    const objects = [];
    for (const file of readdirSync(folder).filter(name => name.endsWith(".yaml")).sort()) {
        for (const document of parseAllDocuments(readFileSync(path.join(folder, file), "utf8"))) {
            document.errors.forEach(error => fault(file, error.message));
            const data = document.toJS();
            if (file !== "kustomization.yaml" && document.errors.length === 0) {
                objects.push({ file, data });
            }
        }
    }
    return objects;
}

// "apps/v1", "Deployment": kubernetes-models/apps/v1/Deployment. Of groups with dots some are named in full.
function moduleOf({ file, data }) {
    const name = `kubernetes-models/${data?.apiVersion}/${data?.kind}`;
    try {
        require.resolve(name);
        return name;
    } catch {
        fault(file, `there is no kind ${data?.kind} in ${data?.apiVersion}`);
        return null;
    }
}

function checkValues(object, name) {
    const model = new (require(name)[object.data.kind])(object.data);
    try {
        model.validate();
    } catch (error) {
        fault(object.file, error.message);
    }
}

function checkTypes(objects) {
    const base = path.dirname(new URL(import.meta.url).pathname);
    const sources = new Map(objects.map(({ file, data, name }, i) => [
        path.join(base, `${i}.ts`),
        { file, text: `import type { I${data.kind} } from "${name}";\nexport const object: I${data.kind} = ${JSON.stringify(data, null, 2)};\n` },
    ]));
    const options = {
        noEmit: true, strict: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
    };
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = name => sources.has(name) || fileExists(name);
    host.readFile = name => sources.get(name)?.text ?? readFile(name);
    host.getSourceFile = (name, ...rest) => sources.has(name)
        ? ts.createSourceFile(name, sources.get(name).text, ts.ScriptTarget.ES2022)
        : getSourceFile(name, ...rest);
    const program = ts.createProgram([...sources.keys()], options, host);
    for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
        const source = sources.get(diagnostic.file?.fileName);
        const line = source && source.text.slice(diagnostic.start).split("\n")[0].trim();
        fault(source?.file ?? diagnostic.file?.fileName ?? "types", `${ts.flattenDiagnosticMessageText(diagnostic.messageText, " ")} At: ${line}`);
    }
}

const covers = (selector, labels) => Object.entries(selector ?? {}).length > 0 &&
    Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value);

// The value of an option in a container's arguments.
const option = (container, name) => Number(container.args?.[container.args.indexOf(name) + 1] ?? NaN);

function checkTogether(objects) {
    const all = kind => objects.filter(object => object.data.kind === kind);
    const deployments = all("Deployment");
    for (const { file, data } of deployments) {
        const template = data.spec.template;
        if (!covers(data.spec.selector.matchLabels, template.metadata?.labels)) {
            fault(file, "the selector does not match the pod's labels");
        }
        for (const spread of template.spec.topologySpreadConstraints ?? []) {
            if (!covers(spread.labelSelector?.matchLabels, template.metadata?.labels)) {
                fault(file, `the spread over ${spread.topologyKey} does not match the pod's labels`);
            }
        }
        for (const container of [...template.spec.containers, ...template.spec.initContainers ?? []]) {
            checkRights(file, template.spec, container);
        }
        for (const container of template.spec.containers) {
            checkProbes(file, container);
            const end = (container.lifecycle?.preStop?.sleep?.seconds ?? 0) + option(container, "--drain") + option(container, "--grace");
            if (!(end < template.spec.terminationGracePeriodSeconds)) {
                fault(file, `a pod takes up to ${end} s to end, and terminationGracePeriodSeconds is ${template.spec.terminationGracePeriodSeconds}`);
            }
        }
    }
    for (const { file, data } of all("Service")) {
        const target = deployments.find(d => covers(data.spec.selector, d.data.spec.template.metadata?.labels));
        if (target === undefined) {
            fault(file, "the selector matches no pod");
            continue;
        }
        const ports = target.data.spec.template.spec.containers.flatMap(container => container.ports ?? []);
        for (const { targetPort } of data.spec.ports) {
            if (!ports.some(port => port.name === targetPort || port.containerPort === targetPort)) {
                fault(file, `the pod has no port ${targetPort}`);
            }
        }
    }
    for (const { file, data } of all("HorizontalPodAutoscaler")) {
        const { kind, name, apiVersion } = data.spec.scaleTargetRef;
        const target = objects.find(o => o.data.kind === kind && o.data.metadata.name === name && o.data.apiVersion === apiVersion)?.data;
        if (target === undefined) {
            fault(file, `there is no ${kind} ${name}`);
        } else if (target.spec.replicas !== undefined) {
            fault(file, `${kind} ${name} has replicas too: each time it is applied it would undo the scaling`);
        } else if (target.spec.template.spec.containers.some(container => container.resources?.requests?.cpu === undefined)) {
            fault(file, "utilization is a share of the CPU request, and a container has none");
        }
        if (data.spec.minReplicas > data.spec.maxReplicas) {
            fault(file, "minReplicas is above maxReplicas");
        }
    }
    for (const { file, data } of all("PodDisruptionBudget")) {
        if (!deployments.some(d => covers(data.spec.selector?.matchLabels, d.data.spec.template.metadata?.labels))) {
            fault(file, "the selector matches no pod");
        }
    }
}

function checkRights(file, pod, container) {
    const { securityContext: own = {} } = container; // what it says itself counts, before what the pod says
    const { securityContext: shared = {} } = pod;
    const rules = {
        "runAsNonRoot is not true": (own.runAsNonRoot ?? shared.runAsNonRoot) === true,
        "the seccomp profile is not RuntimeDefault": (own.seccompProfile ?? shared.seccompProfile)?.type === "RuntimeDefault",
        "it is privileged": own.privileged !== true,
        "it has capabilities": (own.capabilities?.add ?? []).length === 0,
        "it is in a namespace of the host's": [pod.hostNetwork, pod.hostPID, pod.hostIPC].every(shares => shares !== true),
        "allowPrivilegeEscalation is not false": own.allowPrivilegeEscalation === false,
        "readOnlyRootFilesystem is not true": own.readOnlyRootFilesystem === true,
        "not all capabilities are dropped": own.capabilities?.drop?.includes("ALL") === true,
        "there is no memory limit": container.resources?.limits?.memory !== undefined,
    };
    for (const [what, holds] of Object.entries(rules)) {
        if (!holds) {
            fault(file, `container ${container.name}: ${what}`);
        }
    }
}

function checkProbes(file, container) {
    for (const name of ["startupProbe", "livenessProbe", "readinessProbe"]) {
        const port = container[name]?.httpGet?.port;
        if (port === undefined) {
            fault(file, `container ${container.name} has no ${name} by HTTP`);
        } else if (!container.ports?.some(p => p.name === port || p.containerPort === port)) {
            fault(file, `the ${name} asks a port that is none, ${port}`);
        }
    }
}

function checkKustomization() {
    const { resources } = parse(readFileSync(path.join(folder, "kustomization.yaml"), "utf8"));
    const files = readdirSync(folder).filter(name => name.endsWith(".yaml") && name !== "kustomization.yaml");
    resources.filter(name => !files.includes(name)).forEach(name => fault("kustomization.yaml", `there is no ${name}`));
    files.filter(name => !resources.includes(name)).forEach(name => fault("kustomization.yaml", `${name} is left out`));
}

const objects = readObjects();
const known = objects.map(object => ({ ...object, name: moduleOf(object) })).filter(object => object.name !== null);
known.forEach(object => checkValues(object, object.name));
checkTypes(known);
if (faults.length === 0) { // they look into the objects without further ado
    checkTogether(known);
    checkKustomization();
}
faults.forEach(line => console.log(`FAILED  ${line}`));
console.log(`${objects.length} objects, ${faults.length} faults`);
process.exit(faults.length === 0 && objects.length > 0 ? 0 : 1);
