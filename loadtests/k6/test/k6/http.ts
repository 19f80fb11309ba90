// k6's requests return when they are answered: a thread makes them, and this one waits for it.

import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { add } from "./state.ts";
import type { Answered, Asked } from "./requester.ts";

interface Params {
    headers?: { [name: string]: string };
    tags?: { [tag: string]: string };
    responseCallback?: { statuses: number[] };
}

const { port1: port, port2 } = new MessageChannel();
const signal = new Int32Array(new SharedArrayBuffer(4));
const requester = new Worker(new URL("./requester.js", import.meta.url), { workerData: { port: port2, signal }, transferList: [port2] });
requester.unref();

export function request(method: string, url: string, body?: string | null, params: Params = {}) {
    const asked: Asked = { method, url, body: body ?? null, headers: params.headers ?? {} };
    const from = performance.now();
    Atomics.store(signal, 0, 0);
    port.postMessage(asked);
    if (Atomics.wait(signal, 0, 0, 10000) === "timed-out") throw new Error(`${method} ${url}: no answer in 10 s`);
    const answered = (receiveMessageOnPort(port) as { message: Answered }).message;
    const duration = performance.now() - from;

    const expected = params.responseCallback?.statuses.includes(answered.status) ?? (answered.status >= 200 && answered.status < 400);
    add("http_reqs", 1, params.tags);
    add("http_req_duration", duration, params.tags);
    add("http_req_failed", expected ? 0 : 1, params.tags);
    return {
        ...answered,
        timings: { duration },
        json: (): unknown => JSON.parse(answered.body),
    };
}

export function expectedStatuses(...statuses: number[]): { statuses: number[] } {
    return { statuses };
}

export default {
    expectedStatuses,
    request,
    get: (url: string, params?: Params) => request("GET", url, null, params),
    post: (url: string, body: string, params?: Params) => request("POST", url, body, params),
};
