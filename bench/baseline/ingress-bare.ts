/**
 * As little as can be between the socket and the same promise: node:http, the same verification of the same signature,
 * the same durable writes to Redis. No routes, no limits, no refusals, no metrics. What Wrapup's ingress is measured by.
 */
import { createServer } from 'node:http';
import { openIntake } from '../../packages/queue/src/index.ts';
import { readCallId, readSignature, verifySignature } from '../../packages/synthflow/src/index.ts';
import { announce } from './announce.ts';

const intake = openIntake({
  url: process.env.REDIS_URL ?? '',
  prefix: process.env.WRAPUP_PREFIX ?? 'wrapup',
  onError() {},
});
const secrets = [process.env.SYNTHFLOW_WEBHOOK_SECRET ?? ''];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    const call_id = readCallId(JSON.parse(body.toString('utf8'))) ?? '';
    if (!verifySignature({ callId: call_id, secrets, header: readSignature(request.headers) })) {
      return response.writeHead(401).end();
    }
    const status = await intake
      .accept({ source: 'main', call_id, body, received: 'webhook', verified: 'signature', received_at: Date.now() })
      .catch(() => 'unavailable');
    const answer = JSON.stringify({ status, call_id });
    response.writeHead(status === 'accepted' ? 202 : 503, {
      'content-type': 'application/json',
      'content-length': answer.length,
    });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => announce(server));
