// execute SCRIPT [--wrong]: runs a k6 script in Node, a few iterations of each of its scenarios one after the other, on stand-ins for k6's
// modules; BASE_URL and the like come from the environment. Fails when its options are not sound, a check did not hold, a request failed
// that was not to, a threshold is about something that was never measured, or one that is not about time is not met. With --wrong the server's
// answers are right in all but their content (wrong.ts), and it fails when a check of content held all the same, or no threshold noticed.

import { pathToFileURL } from "node:url";
import type { Options, Scenario } from "k6/options";
import { failedChecks, kinds, now, samples, sockets, type Kind, type Sample } from "./k6/state.ts";

const iterations = 5;
const statistics: { [kind in Kind]: RegExp } = {
    counter: /^(count|rate)$/,
    gauge: /^value$/,
    rate: /^rate$/,
    trend: /^(avg|min|med|max|p\(\d+(\.\d+)?\))$/,
};

const comparison = /^(\S+?)(<=|<|>=|>|==|!=)([0-9.]+)$/;

// What holds of wrong.ts's answers, too: all but their content is right.
const heldByWrong = /: (200|Server and Date|the type is .*|[0-9]+ is of its type)$|^(no error|the last echo came before the close)$/;

const faults: string[] = [];

interface Script {
    options: Options;
    [name: string]: unknown;
}

function checkScenario(name: string, scenario: Scenario, script: Script): void {
    const exec = scenario.exec ?? "default";
    if (typeof script[exec] !== "function") faults.push(`scenario ${name}: there is no function ${exec}`);
    if (scenario.startTime !== undefined && !/^[0-9]+s$/.test(scenario.startTime)) faults.push(`scenario ${name}: startTime is ${scenario.startTime}`);
    if (scenario.executor === "constant-arrival-rate") {
        for (const [field, value] of Object.entries({ rate: scenario.rate, preAllocatedVUs: scenario.preAllocatedVUs, maxVUs: scenario.maxVUs ?? 1 }))
            if (!Number.isInteger(value) || value < 1) faults.push(`scenario ${name}: ${field} is ${value}`);
        if (!/^[1-9][0-9]*s$/.test(scenario.duration)) faults.push(`scenario ${name}: the duration is ${scenario.duration}`);
    } else if (scenario.executor !== "per-vu-iterations") {
        faults.push(`scenario ${name}: this test does not know ${scenario.executor}`);
    }
}

interface Threshold {
    name: string;
    metric: string;
    tag: [string, string] | undefined;
    expressions: string[];
}

function thresholdsOf(options: Options): Threshold[] {
    return Object.entries(options.thresholds ?? {}).map(([name, list]) => {
        const parts = /^(\w+)(?:\{(\w+):(.+)\})?$/.exec(name);
        if (parts === null) faults.push(`threshold ${name}: the name is not understood`);
        const tag: [string, string] | undefined = parts?.[2] === undefined ? undefined : [parts[2], parts[3] ?? ""];
        return { name, metric: parts?.[1] ?? name, tag, expressions: list.map((one) => (typeof one === "string" ? one : one.threshold)) };
    });
}

function checkThreshold({ name, metric, tag, expressions }: Threshold, options: Options): void {
    const kind = kinds.get(metric);
    if (kind === undefined) {
        faults.push(`threshold ${name}: there is no metric ${metric}`);
        return;
    }
    for (const expression of expressions) {
        const parts = comparison.exec(expression);
        if (parts === null || !statistics[kind].test(parts[1] ?? "") || Number.isNaN(Number(parts[3])))
            faults.push(`threshold ${name}: '${expression}' is none for a ${kind}`);
    }
    if (tag?.[0] === "scenario" && !(tag[1] in (options.scenarios ?? {}))) faults.push(`threshold ${name}: there is no scenario ${tag[1]}`);
    if (metric !== "dropped_iterations" && samplesOf({ metric, tag }).length === 0) faults.push(`threshold ${name}: nothing was measured`);
}

/** Whether those of its expressions hold that are about a number or a share; how long something takes is no matter of a test. */
function isMet({ metric, tag, expressions }: Threshold): boolean {
    const kind = kinds.get(metric);
    if (kind === undefined || kind === "trend") return true;
    const values = valuesOf(kind, samplesOf({ metric, tag }));
    return expressions.every((expression) => {
        const [, statistic = "", operator = "", bound = ""] = comparison.exec(expression) ?? [];
        const value = values[statistic] ?? NaN;
        const limit = Number(bound);
        const holds: { [operator: string]: boolean } = {
            "<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit, "==": value === limit, "!=": value !== limit,
        };
        return holds[operator] ?? false;
    });
}

function samplesOf({ metric, tag }: Pick<Threshold, "metric" | "tag">): Sample[] {
    return (samples.get(metric) ?? []).filter((sample) => tag === undefined || sample.tags[tag[0]] === tag[1]);
}

function valuesOf(kind: Kind, list: Sample[]): { [statistic: string]: number } {
    const values = list.map((sample) => sample.value).sort((left, right) => left - right);
    const sum = values.reduce((total, value) => total + value, 0);
    if (kind === "counter") return { count: sum };
    if (kind === "rate") return { rate: values.length === 0 ? 0 : sum / values.length };
    const at = (part: number): number => values[Math.min(values.length - 1, Math.floor(part * values.length))] ?? 0;
    return { min: at(0), med: at(0.5), "p(90)": at(0.9), "p(99)": at(0.99), "p(99.9)": at(0.999), max: at(1) };
}

async function run(script: Script): Promise<void> {
    for (const [name, scenario] of Object.entries(script.options.scenarios ?? {})) {
        now.scenario = name;
        now.startTime = Date.now();
        const exec = script[scenario.exec ?? "default"] as () => void;
        const times = scenario.executor === "per-vu-iterations" ? (scenario.vus ?? 1) : iterations;
        for (let i = 0; i < times; i++) {
            exec();
            now.iteration++;
        }
        await Promise.all(sockets);
    }
}

const [path, ...rest] = process.argv.slice(2);
if (path === undefined || rest.some((option) => option !== "--wrong")) {
    console.error("usage: execute SCRIPT [--wrong]");
    process.exit(2);
}
(globalThis as { __ENV: unknown }).__ENV = process.env;
const script = (await import(pathToFileURL(path).href)) as Script;
const { options } = script;
for (const [name, scenario] of Object.entries(options.scenarios ?? {})) checkScenario(name, scenario, script);
if (Object.keys(options.scenarios ?? {}).length === 0) faults.push("no scenario");
await run(script);

const thresholds = thresholdsOf(options);
if (rest.length > 0) {
    const seen = new Set((samples.get("checks") ?? []).map((sample) => sample.tags["check"] ?? ""));
    for (const name of seen) if (!failedChecks.has(name) && !heldByWrong.test(name)) faults.push(`the content is wrong, and yet it holds: ${name}`);
    if (failedChecks.size === 0) faults.push("the server answers wrongly, and every check holds");
    if (thresholds.every(isMet)) faults.push("the server answers wrongly, and every threshold is met");
} else {
    for (const threshold of thresholds) checkThreshold(threshold, options);
    for (const threshold of thresholds) if (!isMet(threshold)) faults.push(`threshold ${threshold.name}: not met`);
    for (const failed of failedChecks) faults.push(`a check does not hold: ${failed}`);
    if (samplesOf({ metric: "http_req_failed", tag: undefined }).some((sample) => sample.value === 1)) faults.push("a request failed");
}
if (typeof script["handleSummary"] === "function") {
    const metrics = Object.fromEntries(thresholds.map((one) => [one.name, { values: valuesOf(kinds.get(one.metric) ?? "trend", samplesOf(one)) }]));
    const written = (script["handleSummary"] as (data: object) => { stdout?: string })({ metrics });
    if (written.stdout === undefined || /NaN|undefined/.test(written.stdout)) faults.push(`the summary is '${written.stdout}'`);
}

for (const fault of faults) console.error(`${path}: ${fault}`);
const checks = samples.get("checks")?.length ?? 0;
console.log(`${path}: ${checks} checks, ${failedChecks.size} kinds of them failed; ${thresholds.length} thresholds`);
process.exit(faults.length > 0 || checks === 0 ? 1 : 0);
