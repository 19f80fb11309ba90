// A LiveServer that runs, and load for it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { createInterface } from "node:readline";

export async function startServer(program) {
  const child = spawn(program, ["127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [address] = await once(createInterface(child.stdout), "line");
  const origin = `http://${address}`;
  const get = async (path) => {
    const answer = await fetch(origin + path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.text();
  };
  return {
    origin,
    page: `${origin}/debug/netgo`,
    get,
    facts: async () => JSON.parse(await get("/facts")),
    async stop() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** Asks for paths in turn, by so many connections, until it is stopped. */
export function startLoad(origin, paths, connections, pauseMilliseconds) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  let stopped = false;
  let place = 0;
  const ask = (path) =>
    new Promise((resolve) => {
      const request = http.get(origin + path, { agent }, (answer) => answer.resume().on("end", resolve));
      request.on("error", resolve);
    });
  const workers = Array.from({ length: connections }, async () => {
    while (!stopped) {
      await ask(paths[place++ % paths.length]);
      await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
    }
  });
  return async () => {
    stopped = true;
    await Promise.all(workers);
    agent.destroy();
  };
}
