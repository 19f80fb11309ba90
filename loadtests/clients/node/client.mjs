// Asks the server with Node's http and fetch: client.mjs ADDRESS. Prints "ok NAME" or "FAILED NAME: why" for each check.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';

const [host, port] = process.argv[2].split(':');
const base = `http://${host}:${port}`;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const body = '0123456789'.repeat(100000);

async function check(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAILED ${name}: ${String(error.message).slice(0, 300).replaceAll('\n', ' ')}`);
  }
}

// ask(METHOD, PATH, OPTIONS, WRITE): the answer with its text, its trailers and the client's port.
function ask(method, path, options = {}, write = request => request.end()) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, path, method, agent, timeout: 20000, ...options }, response => {
      const chunks = [];
      const from = response.socket.localPort;
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, trailers: response.trailers, from, text: Buffer.concat(chunks).toString(),
      }));
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer in 20 s')));
    write(request);
  });
}

await check('http: 50 requests on one connection', async () => {
  const ports = new Set();
  for (let i = 0; i < 50; i++) {
    const answer = await ask('GET', '/json');
    assert.equal(answer.text, '{"message":"Hello, World!"}');
    ports.add(answer.from);
  }
  assert.equal(ports.size, 1);
});
await check('http: head', async () => {
  const answer = await ask('HEAD', '/plaintext');
  assert.deepEqual([answer.status, answer.headers['content-length'], answer.text], [200, '13', '']);
});
await check('http: post with length', async () => {
  const answer = await ask('POST', '/echo', { headers: { 'Content-Length': body.length } }, request => request.end(body));
  assert.ok(answer.text === body && answer.headers['content-length'] === String(body.length));
});
await check('http: post chunked', async () => {
  const answer = await ask('POST', '/echo', {}, request => {
    for (let i = 0; i < 10; i++) request.write(body);
    request.end();
  });
  assert.ok(answer.text === body.repeat(10) && answer.headers['transfer-encoding'] === 'chunked');
});
await check('http: expect: 100-continue, and content follows', async () => {
  let continued = false;
  const answer = await ask('POST', '/upload', { headers: { Expect: '100-continue', 'Content-Length': body.length } }, request => {
    request.on('continue', () => { continued = true; request.end(body); });
    request.flushHeaders();
  });
  assert.ok(continued);
  assert.equal(answer.text, `${body.length} ${createHash('sha256').update(body).digest('hex')} length\n`);
});
await check('http: trailers both ways', async () => {
  const answer = await ask('POST', '/trailers', { headers: { Trailer: 'X-Note' } }, request => {
    request.write('12345');
    request.addTrailers({ 'X-Note': 'from node' });
    request.end();
  });
  assert.deepEqual(answer.trailers, { 'x-count': '5', 'x-echo': 'from node' });
});
await check('http: range', async () => {
  const answer = await ask('GET', '/files/digits.txt', { headers: { Range: 'bytes=10-14' } });
  assert.deepEqual([answer.status, answer.headers['content-range'], answer.text], [206, 'bytes 10-14/1000', '01234']);
});
await check('http: upgrade to websocket', () => new Promise((resolve, reject) => {
  const key = randomBytes(16).toString('base64');
  const request = http.request({
    host, port, path: '/ws', agent: false, timeout: 20000,
    headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': key },
  }, response => reject(new Error(`status ${response.statusCode}`)));
  request.on('error', reject);
  request.on('timeout', () => reject(new Error('no answer in 20 s')));
  request.on('upgrade', (response, socket) => {
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    let got = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', chunk => {
      got = Buffer.concat([got, chunk]);
      if (got.length < 4) return;
      socket.destroy();
      resolve();
      if (response.headers['sec-websocket-accept'] !== accept || !got.equals(Buffer.from([0x81, 2, 0x68, 0x69])))
        reject(new Error('another answer'));
    });
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])); // the text "hi", masked with zeros
  });
  request.end();
}));
await check('fetch: gzip or br undone by the client', async () => {
  const answer = await fetch(`${base}/text`);
  assert.ok(['gzip', 'br'].includes(answer.headers.get('content-encoding')));
  assert.equal((await answer.text()).length, 8000);
});
await check('fetch: post a stream, chunked', async () => {
  const pieces = [body, body, body].map(piece => Buffer.from(piece));
  const stream = new ReadableStream({
    pull(controller) {
      if (pieces.length > 0) controller.enqueue(pieces.shift());
      else controller.close();
    },
  });
  const answer = await fetch(`${base}/upload`, { method: 'POST', body: stream, duplex: 'half' });
  assert.equal(await answer.text(), `${3 * body.length} ${createHash('sha256').update(body.repeat(3)).digest('hex')} chunked\n`);
});
await check('fetch: redirects that change the method and that keep it', async () => {
  assert.deepEqual(await (await fetch(`${base}/redirect`)).json(), { message: 'Hello, World!' });
  assert.equal(await (await fetch(`${base}/redirect`, { method: 'POST', body: 'kept' })).text(), 'kept');
});
await check('fetch: 50 MB arrive as they were', async () => {
  let at = 0;
  for await (const chunk of (await fetch(`${base}/bytes?n=50000000`)).body)
    for (const octet of chunk) if (octet !== at++ % 251) throw new Error(`octet ${at - 1} is ${octet}`);
  assert.equal(at, 50000000);
});
await check('fetch: server-sent events', async () => {
  const text = await (await fetch(`${base}/events`)).text();
  assert.equal(text, [1, 2, 3].map(i => `id: ${i}\ndata: event ${i}\n\n`).join('') + 'event: end\ndata: over\n\n');
});
if (typeof WebSocket === 'function') {
  await check('WebSocket', () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${host}:${port}/ws`);
    socket.onopen = () => socket.send(body);
    socket.onmessage = event => { event.data === body ? socket.close(1000) : reject(new Error('another message')); };
    socket.onclose = event => { event.wasClean ? resolve() : reject(new Error('not closed cleanly')); };
    socket.onerror = () => reject(new Error('error'));
  }));
}
agent.destroy();
