// smoke: every route of a load target once in each iteration, with a check of each answer. Is it worth running the others?

import type { Options } from "k6/options";
import { echo, json, pause, plaintext, text, user } from "./contract.ts";
import { arrivals, loadOf, nothingFails, p99Below, summary } from "./load.ts";

const load = loadOf("smoke");

export const options: Options = {
    ...summary,
    scenarios: { smoke: arrivals(load) },
    thresholds: {
        ...nothingFails,
        http_reqs: [`count>=${load.rate}`],
        http_req_duration: p99Below(load.p99),
    },
};

export default function (): void {
    plaintext(load.baseUrl);
    json(load.baseUrl);
    user(load.baseUrl, "4711");
    echo(load.baseUrl, text(3000));
    pause(load.baseUrl, "sleep", 10);
    pause(load.baseUrl, "block", 10);
}
