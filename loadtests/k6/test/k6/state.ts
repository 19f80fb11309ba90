// What the stand-ins for k6's modules share: the samples of a run, and where in it we are.

export interface Sample {
    value: number;
    tags: { [tag: string]: string };
}

export type Kind = "counter" | "gauge" | "rate" | "trend";

/** k6's own metrics, as far as thresholds here are about them; a script's are added when it makes them. */
export const kinds = new Map<string, Kind>([
    ["checks", "rate"],
    ["dropped_iterations", "counter"],
    ["http_req_duration", "trend"],
    ["http_req_failed", "rate"],
    ["http_reqs", "counter"],
]);

export const samples = new Map<string, Sample[]>();
export const failedChecks = new Set<string>();
export const now = { scenario: "", startTime: 0, iteration: 0 };
export const sockets: Promise<void>[] = [];

export function add(metric: string, value: number, tags: { [tag: string]: string } = {}): void {
    const list = samples.get(metric) ?? [];
    list.push({ value, tags: { scenario: now.scenario, ...tags } });
    samples.set(metric, list);
}
