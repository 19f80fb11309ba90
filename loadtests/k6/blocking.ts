// blocking: 1 % of the requests are answered by handlers that block their thread for 50 ms. What do the others notice?

import type { Options } from "k6/options";
import { pause, plaintext } from "./contract.ts";
import { arrivals, loadOf, nothingFails, p99Below, summary } from "./load.ts";

const load = loadOf("blocking");

export const options: Options = {
    ...summary,
    scenarios: {
        others: arrivals(load, { rate: load.rate * 99, timeUnit: "100s", exec: "ask" }),
        blockers: arrivals(load, { rate: load.rate, timeUnit: "100s", exec: "block" }),
    },
    thresholds: {
        ...nothingFails,
        "http_req_duration{scenario:others}": p99Below(load.p99),
        "http_req_duration{scenario:blockers}": p99Below(load.blockers),
    },
};

export function ask(): void {
    plaintext(load.baseUrl);
}

export function block(): void {
    pause(load.baseUrl, "block", 50);
}
