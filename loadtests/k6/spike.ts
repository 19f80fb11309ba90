// spike: a tenth of the rate, then of a sudden all of it, then a tenth again. The server may be slower at the peak, but no request fails,
// and afterwards it keeps the limit that it had before.

import type { Options } from "k6/options";
import { json } from "./contract.ts";
import { arrivals, loadOf, nothingFails, p99Below, summary } from "./load.ts";

const load = loadOf("spike");
const third = Math.max(1, Math.round(load.seconds / 3));
const calm = { rate: Math.max(1, Math.round(load.rate / 10)), duration: `${third}s` };

export const options: Options = {
    ...summary,
    scenarios: {
        before: arrivals(load, calm),
        peak: arrivals(load, { duration: `${third}s`, startTime: `${third}s` }),
        after: arrivals(load, { ...calm, startTime: `${2 * third}s` }),
    },
    thresholds: {
        ...nothingFails,
        "http_req_duration{scenario:before}": p99Below(load.p99),
        "http_req_duration{scenario:peak}": p99Below(load.peak),
        "http_req_duration{scenario:after}": p99Below(load.p99),
    },
};

export default function (): void {
    json(load.baseUrl);
}
