// wrong PORT: a server whose answers are right in all but their content; the messages that its WebSockets send back are others, too.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { Duplex } from "node:stream";

const server = createServer((request, response) => {
    request.resume();
    const isJson = request.url !== undefined && /^\/(json|books)/.test(request.url);
    response.setHeader("Server", "wrong");
    response.setHeader("Content-Type", isJson ? "application/json" : "text/plain");
    response.end("wrong");
});

// For each that is received a message of five octets (RFC 6455, sections 4.2.2 and 5.2). What comes in one piece counts as one.
server.on("upgrade", (request, socket: Duplex) => {
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on("data", (received: Buffer) => {
        const isClose = ((received[0] ?? 0) & 0x0f) === 8;
        socket.write(isClose ? Buffer.from([0x88, 0]) : Buffer.from([0x81, 5, ...Buffer.from("wrong")]));
        if (isClose) socket.end();
    });
    socket.on("error", () => socket.destroy());
});
server.listen(Number(process.argv[2]), "127.0.0.1");
