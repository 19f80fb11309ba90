// ramp: a quarter of the rate, half, all of it, twice and four times as much, to find the knee: the last step at which the 99th percentile
// is below the limit, and nothing fails. The run fails when the knee is before RATE; what comes after that is only told of.

import type { Options, Scenario, Threshold } from "k6/options";
import { plaintext } from "./contract.ts";
import { arrivals, loadOf, p99Below, summary } from "./load.ts";

const load = loadOf("ramp");
const length = Math.max(1, Math.round(load.seconds / 5));
const steps = [0.25, 0.5, 1, 2, 4].map((times) => ({ rate: Math.max(1, Math.round(load.rate * times)), must: times <= 1 }));
const nameOf = (step: { rate: number }): string => `rate_${step.rate}`;

const scenarios: { [name: string]: Scenario } = {};
const thresholds: { [metric: string]: Threshold[] } = {};
steps.forEach((step, i) => {
    const name = nameOf(step);
    scenarios[name] = arrivals(load, { rate: step.rate, duration: `${length}s`, startTime: `${i * (length + 1)}s`, gracefulStop: "1s" });
    // Only a metric with a threshold is there apart in the summary: these ones always hold.
    thresholds[`http_req_duration{scenario:${name}}`] = step.must ? p99Below(load.p99) : ["p(99)>=0"];
    thresholds[`http_req_failed{scenario:${name}}`] = [step.must ? "rate==0" : "rate>=0"];
    thresholds[`dropped_iterations{scenario:${name}}`] = [step.must ? "count==0" : "count>=0"];
    thresholds[`checks{scenario:${name}}`] = [step.must ? "rate==1" : "rate>=0"];
});

export const options: Options = { ...summary, scenarios, thresholds };

export default function (): void {
    plaintext(load.baseUrl);
}

interface Summary {
    metrics: { [name: string]: { values: { [statistic: string]: number } } | undefined };
}

export function handleSummary(data: Summary): { stdout: string } {
    const value = (metric: string, step: { rate: number }, statistic: string): number =>
        data.metrics[`${metric}{scenario:${nameOf(step)}}`]?.values[statistic] ?? 0;
    let knee = 0;
    let bent = false;
    let table = "\n  requests/s   p50 ms   p99 ms   dropped\n";
    for (const step of steps) {
        const p99 = value("http_req_duration", step, "p(99)");
        const dropped = value("dropped_iterations", step, "count");
        bent = bent || !(p99 < load.p99) || dropped > 0 || value("http_req_failed", step, "rate") > 0 || value("checks", step, "rate") < 1;
        if (!bent) knee = step.rate;
        const p50 = value("http_req_duration", step, "med");
        table += `${String(step.rate).padStart(12)} ${p50.toFixed(2).padStart(8)} ${p99.toFixed(2).padStart(8)} ${String(dropped).padStart(9)}\n`;
    }
    const where = knee === 0 ? "before the first step" : bent ? `after ${knee} requests/s` : `beyond ${knee} requests/s`;
    return { stdout: `${table}\nThe knee (p99 of ${load.p99} ms, nothing failed or dropped) is ${where}; ${load.rate} were demanded.\n` };
}
