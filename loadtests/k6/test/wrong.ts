// wrong PORT: a server whose answers are right in all but their content, and no WebSocket.

import { createServer } from "node:http";

const server = createServer((request, response) => {
    request.resume();
    const isJson = request.url !== undefined && /^\/(json|books)/.test(request.url);
    response.setHeader("Server", "wrong");
    response.setHeader("Content-Type", isJson ? "application/json" : "text/plain");
    response.end("wrong");
});
server.on("upgrade", (_request, socket) => socket.destroy());
server.listen(Number(process.argv[2]), "127.0.0.1");
