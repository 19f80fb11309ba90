// The thread that makes the requests of http.ts, on connections that are kept.

import { Agent, request } from "node:http";
import { workerData, type MessagePort } from "node:worker_threads";

export interface Asked {
    method: string;
    url: string;
    body: string | null;
    headers: { [name: string]: string };
}

export interface Answered {
    status: number;
    headers: { [name: string]: string };
    body: string;
}

const { port, signal } = workerData as { port: MessagePort; signal: Int32Array };
const agent = new Agent({ keepAlive: true });

// As k6 has them: Content-Type, not content-type.
const canonical = (name: string): string => name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());

function answer(answered: Answered): void {
    port.postMessage(answered);
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
}

port.on("message", ({ method, url, body, headers }: Asked) => {
    const length = body === null ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const asking = request(url, { method, agent, headers: { ...headers, ...length } }, (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("end", () => {
            const fields = Object.entries(response.headers).map(([name, value]) => [canonical(name), String(value)]);
            const got = Object.fromEntries(fields) as { [name: string]: string };
            answer({ status: response.statusCode ?? 0, headers: got, body: Buffer.concat(pieces).toString() });
        });
    });
    // As in k6: a request that fails has the status 0.
    asking.on("error", () => answer({ status: 0, headers: {}, body: "" }));
    asking.end(body ?? undefined);
});
