// plaintext: GET /plaintext at a fixed rate.

import type { Options } from "k6/options";
import { plaintext } from "./contract.ts";
import { arrivals, loadOf, nothingFails, p99Below, summary } from "./load.ts";

const load = loadOf("plaintext");

export const options: Options = {
    ...summary,
    scenarios: { plaintext: arrivals(load) },
    thresholds: { ...nothingFails, http_req_duration: p99Below(load.p99) },
};

export default function (): void {
    plaintext(load.baseUrl);
}
