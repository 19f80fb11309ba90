// wrong PORT: a server that answers everything alike, and no WebSocket.

import { createServer } from "node:http";

const server = createServer((request, response) => {
    request.resume();
    response.setHeader("Content-Type", "text/html");
    response.end("wrong");
});
server.on("upgrade", (_request, socket) => socket.destroy());
server.listen(Number(process.argv[2]), "127.0.0.1");
