import { sockets } from "./state.ts";

// Node 20 has it behind --experimental-websocket, and its types have not.
interface Socket {
    addEventListener(event: "close" | "error", listener: () => void): void;
}
const NodeWebSocket = (globalThis as unknown as { WebSocket: new (url: string) => Socket }).WebSocket;

export class WebSocket extends NodeWebSocket {
    constructor(url: string) {
        super(url);
        sockets.push(
            new Promise((ended) => {
                this.addEventListener("close", () => ended());
                this.addEventListener("error", () => ended()); // of a handshake that failed there is no close in Node 20
            }),
        );
    }
}
