// contract: the routes of the load targets (see ../README.md), each with a check of its answer.

import { check } from "k6";
import http from "k6/http";
import type { Params, RefinedResponse, ResponseType } from "k6/http";

type Answer = RefinedResponse<ResponseType | undefined>;

function common(route: string, answer: Answer): boolean {
    return check(answer, {
        [`${route}: 200`]: (r) => r.status === 200,
        [`${route}: Server and Date`]: (r) => Boolean(r.headers["Server"]) && !Number.isNaN(Date.parse(r.headers["Date"] ?? "")),
    });
}

function has(route: string, answer: Answer, type: string, body: string): boolean {
    return check(answer, {
        [`${route}: the type is ${type}`]: (r) => (r.headers["Content-Type"] ?? "").split(";")[0] === type,
        [`${route}: the content is what it must be`]: (r) => r.body === body,
    });
}

// Many paths that are one resource have one name, or each would be a series of its own.
const named = (name: string): Params => ({ tags: { name } });

export function plaintext(baseUrl: string): void {
    const answer = http.get(`${baseUrl}/plaintext`);
    common("/plaintext", answer);
    has("/plaintext", answer, "text/plain", "Hello, World!");
}

export function json(baseUrl: string): void {
    const answer = http.get(`${baseUrl}/json`);
    common("/json", answer);
    has("/json", answer, "application/json", '{"message":"Hello, World!"}');
}

export function user(baseUrl: string, id: string): void {
    const answer = http.get(`${baseUrl}/users/${id}`, named("/users/id"));
    common("/users/id", answer);
    has("/users/id", answer, "text/plain", id);
}

export function echo(baseUrl: string, content: string): void {
    const answer = http.post(`${baseUrl}/echo`, content, { headers: { "Content-Type": "text/plain" }, ...named("/echo") });
    common("/echo", answer);
    check(answer, { "/echo: the content comes back": (r) => r.body === content });
}

/** kind is sleep or block: both take so many ms, the second holds its thread meanwhile. */
export function pause(baseUrl: string, kind: "sleep" | "block", ms: number): void {
    const answer = http.get(`${baseUrl}/${kind}?ms=${ms}`, named(`/${kind}`));
    common(`/${kind}`, answer);
    // The clocks of the two are not the same one.
    check(answer, { [`/${kind}: takes the time that was asked for`]: (r) => r.timings.duration >= ms - 2 });
}

/** Text of that length, another one each time. */
export function text(length: number): string {
    let result = "";
    while (result.length < length) result += Math.random().toString(36).slice(2);
    return result.slice(0, length);
}
