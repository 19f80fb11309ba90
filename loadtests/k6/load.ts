// load: what a run asks of the server, from the table and from `-e BASE_URL=… RATE=… DURATION=… VUS=… P99=…`.

import type { ConstantArrivalRateScenario, Options, Threshold } from "k6/options";
import { scenarios } from "./scenarios.ts";

export interface Load {
    baseUrl: string;
    rate: number;
    seconds: number;
    vus: number;
    p99: number;
}

/** The load of a scenario, with what else its line in the table has. Throws where `-e` says something that is none. */
export function loadOf<Name extends keyof typeof scenarios>(name: Name): Load & (typeof scenarios)[Name] {
    const line = scenarios[name];
    return {
        ...line,
        baseUrl: baseUrl(),
        rate: whole("RATE", line.rate),
        seconds: seconds("DURATION", line.seconds),
        vus: whole("VUS", line.vus),
        p99: decimal("P99", line.p99),
    };
}

function baseUrl(): string {
    const url = __ENV["BASE_URL"] ?? "http://127.0.0.1:8080";
    if (!/^https?:\/\/[^/]+$/.test(url)) throw new Error(`BASE_URL must be like http://127.0.0.1:8080, not '${url}'`);
    return url;
}

function whole(name: string, otherwise: number): number {
    const text = __ENV[name];
    if (text === undefined) return otherwise;
    if (!/^[1-9][0-9]*$/.test(text)) throw new Error(`${name} must be a whole number of 1 or more, not '${text}'`);
    return Number(text);
}

function decimal(name: string, otherwise: number): number {
    const text = __ENV[name];
    if (text === undefined) return otherwise;
    if (!/^[0-9]+(\.[0-9]+)?$/.test(text)) throw new Error(`${name} must be a number, not '${text}'`);
    return Number(text);
}

function seconds(name: string, otherwise: number): number {
    const text = __ENV[name];
    if (text === undefined) return otherwise;
    const parts = /^([1-9][0-9]*)([smh]?)$/.exec(text);
    if (parts === null) throw new Error(`${name} must be like 30, 30s, 5m or 1h, not '${text}'`);
    return Number(parts[1]) * (parts[2] === "h" ? 3600 : parts[2] === "m" ? 60 : 1);
}

/** An open load, of which latency can be judged: an iteration begins when it is due, whether or not earlier ones have ended. */
export function arrivals(load: Load, changes: Partial<ConstantArrivalRateScenario> = {}): ConstantArrivalRateScenario {
    return {
        executor: "constant-arrival-rate",
        rate: load.rate,
        timeUnit: "1s",
        duration: `${load.seconds}s`,
        preAllocatedVUs: load.vus,
        maxVUs: load.vus,
        gracefulStop: "10s",
        ...changes,
    };
}

/** What every run demands: all checks hold, no request fails, none could not be sent when it was due. */
export const nothingFails: { [metric: string]: Threshold[] } = {
    checks: ["rate==1"],
    http_req_failed: ["rate==0"],
    dropped_iterations: ["count==0"],
};

export const p99Below = (ms: number): Threshold[] => [`p(99)<${ms}`];

/** What the summary tells of each latency. */
export const summary: Options = {
    summaryTrendStats: ["min", "med", "p(90)", "p(99)", "p(99.9)", "max"],
};
