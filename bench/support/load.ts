/**
 * Posts webhooks over so many connections, each waiting for its answer before it sends the next, and tells on standard
 * output how that went. A process of its own, so that its work is not the server's. Everything is prepared before the
 * clock runs: every request is one buffer with a call id and a signature of its own.
 *
 *   node bench/support/load.ts '{"port":8080,"path":"/webhooks/main/post-call","secret":"…","bytes":8192,"count":4000,"connections":64}'
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { sign } from '../../packages/synthflow/src/index.ts';
import { phoneOf } from '../../test/support/phone.ts';
import { makeCall } from './calls.ts';
import { percentile } from './statistics.ts';

export interface LoadOptions {
  port: number;
  path: string;
  secret: string;
  /** Of each body. */
  bytes: number;
  count: number;
  connections: number;
}

export interface LoadFigures {
  count: number;
  seconds: number;
  /** ms */
  p50: number;
  p99: number;
  /** Answers by status. */
  statuses: Record<string, number>;
}

/** Requests differ in their ids; a few texts are enough, since no server here compresses before it answers. */
const TEXTS = 16;

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
  process.stdout.write(JSON.stringify(await load(options)));
}

async function load({ port, path, secret, bytes, count, connections }: LoadOptions): Promise<LoadFigures> {
  const requests = makeRequests(path, secret, bytes, count);
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  let next = 0;
  const began = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      while (next < count) {
        const request = requests[next++] as Buffer;
        const sent = performance.now();
        const status = await exchange(socket, request);
        times.push(performance.now() - sent);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const socket of sockets) socket.destroy();
  return { count, seconds, p50: percentile(times, 50), p99: percentile(times, 99), statuses };
}

function makeRequests(path: string, secret: string, bytes: number, count: number): Buffer[] {
  const marker = randomUUID();
  const texts = Array.from({ length: TEXTS }, (_, n) =>
    JSON.stringify(makeCall({ call_id: marker, phone: phoneOf(n), bytes, seed: n + 1 })),
  );
  return Array.from({ length: count }, (_, n) => {
    const id = randomUUID();
    const body = (texts[n % TEXTS] as string).replaceAll(marker, id);
    return Buffer.from(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nsynthflow-signature: ${sign(id, secret)}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Sends one request and reads one answer, of which it understands as much as these servers say. */
function exchange(socket: Socket, request: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const onData = (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const head = answer.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
      if (answer.length < head + 4 + length) return;
      settle(() => resolve(answer.slice(9, 12)));
    };
    const onClose = () => settle(() => reject(new Error('the server closed the connection')));
    const onError = (error: Error) => settle(() => reject(error));
    const settle = (act: () => void) => {
      socket.off('data', onData).off('close', onClose).off('error', onError);
      act();
    };
    socket.on('data', onData).on('close', onClose).on('error', onError);
    socket.write(request);
  });
}
