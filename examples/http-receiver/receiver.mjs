/**
 * Takes calls as signed events: PORT=4000 EVENTS_SECRET=whsec_… node receiver.mjs
 *
 * An event may come more than once, under the same `webhook-id`: what was worked on is dropped. Here ids are kept in
 * memory; a service that may restart keeps them where it keeps what it makes of the events.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const key = Buffer.from((process.env.EVENTS_SECRET ?? '').replace(/^whsec_/, ''), 'base64');
if (key.length < 16) throw new Error('EVENTS_SECRET is missing or too short: make one with openssl rand -base64 32');
const TOLERANCE_S = 300;
const MAX_BYTES = 5_000_000;
const MAX_IDS = 100_000;
const seen = new Set();

const server = createServer(async (request, response) => {
  const raw = await readBody(request);
  if (!raw) return response.writeHead(413).end();
  if (!isGenuine(request.headers, raw)) return response.writeHead(401).end();
  const id = request.headers['webhook-id'];
  // Answer first, work later: the sender waits for the answer only.
  response.writeHead(204).end();
  if (seen.has(id)) return;
  seen.add(id);
  if (seen.size > MAX_IDS) seen.delete(seen.values().next().value);
  const { type, data } = JSON.parse(raw);
  console.log(`${type} ${data.call.id}`);
});
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => console.log(`listens on ${server.address().port}`));

async function readBody(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Standard Webhooks: https://www.standardwebhooks.com */
function isGenuine(headers, raw) {
  const timestamp = Number(headers['webhook-timestamp']);
  if (!(Math.abs(Date.now() / 1000 - timestamp) <= TOLERANCE_S)) return false;
  const wanted = createHmac('sha256', key).update(`${headers['webhook-id']}.${timestamp}.`).update(raw).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .filter((one) => one.startsWith('v1,'))
    .map((one) => Buffer.from(one.slice(3), 'base64'))
    .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted));
}
