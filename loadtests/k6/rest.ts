// rest: a book is created, read, changed, found and deleted, among requests that must be refused, against examples/JsonApi. Each answer is
// checked: status, type, content.

import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import type { RefinedResponse, ResponseType } from "k6/http";
import type { Options } from "k6/options";
import { arrivals, loadOf, nothingFails, p99Below, summary } from "./load.ts";

const load = loadOf("rest");

interface Book {
    isbn: string;
    title: string;
    author: string;
    year: number;
}

const names = ["POST /books", "GET /books/isbn", "PUT /books/isbn", "GET /books by author", "DELETE /books/isbn"];

export const options: Options = {
    ...summary,
    scenarios: { rest: arrivals(load) },
    thresholds: {
        ...nothingFails,
        http_req_duration: p99Below(load.p99),
        ...Object.fromEntries(names.map((name) => [`http_req_duration{name:${name}}`, p99Below(load.p99)])),
    },
};

// The weighted sum of an ISBN's digits is a multiple of ten.
function isbn(number: number): string {
    const digits = `978${String(number % 1e9).padStart(9, "0")}`;
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += Number(digits[i]) * (i % 2 === 0 ? 1 : 3);
    return digits + String((10 - (sum % 10)) % 10);
}

type Answer = RefinedResponse<ResponseType | undefined>;

function ask(method: string, path: string, name: string, expected: number, type: string, content?: object | string): Answer {
    const body = content === undefined || typeof content === "string" ? content : JSON.stringify(content);
    const answer = http.request(method, load.baseUrl + path, body ?? null, {
        headers: body === undefined ? {} : { "Content-Type": "application/json" },
        tags: { name },
        responseCallback: http.expectedStatuses(expected),
    });
    check(answer, {
        [`${name}: ${expected}`]: (r) => r.status === expected,
        [`${name}: ${expected} is of its type`]: (r) => (r.headers["Content-Type"] ?? "").split(";")[0] === type,
    });
    return answer;
}

function parsed(answer: Answer): unknown {
    try {
        return answer.json();
    } catch {
        return undefined;
    }
}

const same = (value: unknown, book: Book): boolean => {
    const other = (value ?? {}) as Partial<Book>;
    return other.isbn === book.isbn && other.title === book.title && other.author === book.author && other.year === book.year;
};

function isProblem(answer: Answer, what: string): void {
    check(answer, { [`${what}: the problem tells its status`]: (r) => (parsed(r) as { status?: number } | undefined)?.status === r.status });
}

export default function (): void {
    const book: Book = { isbn: isbn(exec.scenario.iterationInTest), title: "A Book", author: `Author ${exec.scenario.iterationInTest}`, year: 2000 };
    const path = `/books/${book.isbn}`;
    const json = "application/json";
    const problem = "application/problem+json";

    const created = ask("POST", "/books", "POST /books", 201, json, book);
    check(created, {
        "POST /books: Location": (r) => r.headers["Location"] === path,
        "POST /books: the book": (r) => same(parsed(r), book),
    });
    const read = ask("GET", path, "GET /books/isbn", 200, json);
    check(read, { "GET /books/isbn: the book": (r) => same(parsed(r), book) });
    isProblem(ask("POST", "/books", "POST /books", 409, problem, book), "a book that is there");

    const changed: Book = { ...book, title: "Another Title", year: 2001 };
    const replaced = ask("PUT", path, "PUT /books/isbn", 200, json, changed);
    check(replaced, { "PUT /books/isbn: the book": (r) => same(parsed(r), changed) });
    const listed = ask("GET", `/books?author=${encodeURIComponent(book.author)}`, "GET /books by author", 200, json);
    check(listed, {
        "GET /books by author: this one book, as changed": (r) => {
            const list = parsed(r);
            return Array.isArray(list) && list.length === 1 && same(list[0], changed);
        },
    });

    const invalid = ask("POST", "/books", "POST /books", 400, problem, { ...book, isbn: "1", title: "" });
    check(invalid, {
        "an invalid book: each member that is wrong": (r) => {
            const errors = (parsed(r) as { errors?: object } | undefined)?.errors ?? {};
            return Object.keys(errors).sort().join() === "isbn,title";
        },
    });
    isProblem(ask("POST", "/books", "POST /books", 400, problem, '{"isbn":'), "malformed JSON");
    isProblem(ask("PATCH", path, "PATCH /books/isbn", 405, problem), "another method");

    ask("DELETE", path, "DELETE /books/isbn", 204, "");
    isProblem(ask("GET", path, "GET /books/isbn", 404, problem), "a book that is gone");
}
