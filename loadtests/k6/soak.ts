// soak: the routes in random turn, at a fixed rate, for long. Each third has to keep the limit.

import type { Options } from "k6/options";
import { echo, json, plaintext, text, user } from "./contract.ts";
import { arrivals, loadOf, nothingFails, p99Below, summary } from "./load.ts";

const load = loadOf("soak");
const third = Math.max(1, Math.round(load.seconds / 3));
const part = (i: number) => arrivals(load, { duration: `${third}s`, startTime: `${i * third}s` });

export const options: Options = {
    ...summary,
    scenarios: { first: part(0), second: part(1), third: part(2) },
    thresholds: {
        ...nothingFails,
        "http_req_duration{scenario:first}": p99Below(load.p99),
        "http_req_duration{scenario:second}": p99Below(load.p99),
        "http_req_duration{scenario:third}": p99Below(load.p99),
    },
};

const asks = [
    () => plaintext(load.baseUrl),
    () => json(load.baseUrl),
    () => user(load.baseUrl, text(8)),
    () => echo(load.baseUrl, text(1024)),
];

export default function (): void {
    asks[Math.floor(Math.random() * asks.length)]?.();
}
