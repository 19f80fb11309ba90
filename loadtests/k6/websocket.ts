// websocket: on each of VUS WebSockets a message is sent, its echo waited for and compared, and the next one sent. A closed load: how long
// an echo takes is told in whole ms, which is what k6's clock has.

import { check } from "k6";
import exec from "k6/execution";
import { Counter, Trend } from "k6/metrics";
import type { Options } from "k6/options";
import { clearTimeout, setTimeout } from "k6/timers";
import { WebSocket } from "k6/websockets";
import { text } from "./contract.ts";
import { loadOf, p99Below, summary } from "./load.ts";

const load = loadOf("websocket");
const patience = 10000;

const echoes = new Counter("ws_echoes");
const latency = new Trend("ws_echo_duration", true);

export const options: Options = {
    ...summary,
    scenarios: {
        websocket: {
            executor: "per-vu-iterations",
            vus: load.vus,
            iterations: 1,
            maxDuration: `${load.seconds + 30}s`,
        },
    },
    thresholds: {
        checks: ["rate==1"],
        ws_echoes: [`count>=${load.vus}`],
        ws_echo_duration: p99Below(load.p99),
    },
};

export default function (): void {
    const end = exec.scenario.startTime + load.seconds * 1000;
    const socket = new WebSocket(`${load.baseUrl.replace(/^http/, "ws")}/ws`);
    let message = "";
    let sent = 0;
    let ended = false;

    const next = (): void => {
        message = text(64);
        sent = Date.now();
        socket.send(message);
    };
    const late = setTimeout(() => socket.close(), load.seconds * 1000 + patience);
    socket.onopen = next;
    socket.onmessage = (event) => {
        latency.add(Date.now() - sent);
        echoes.add(1);
        check(event?.data, { "the echo is the message": (data) => data === message });
        if (Date.now() < end) {
            next();
        } else {
            ended = true;
            socket.close();
        }
    };
    socket.onerror = () => {
        clearTimeout(late); // after an error there need be no close
        check(null, { "no error": () => false });
    };
    socket.onclose = () => {
        clearTimeout(late);
        check(ended, { "the last echo came before the close": (whether) => whether });
    };
}
