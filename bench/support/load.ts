/**
 * Posts webhooks over so many connections, each waiting for its answer before it sends the next, and tells on standard
 * output how that went. A process of its own, so that its work is not the server's. Everything is prepared before the
 * clock runs: every request is one buffer with a call id and a signature of its own.
 *
 *   node bench/support/load.ts '{"port":8080,"path":"/webhooks/main/post-call","secret":"…","bytes":8192,"count":4000,"connections":64}'
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
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
  const lines = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  let next = 0;
  const began = performance.now();
  await Promise.all(
    lines.map(async (line) => {
      while (next < count) {
        const request = requests[next++] as Buffer;
        const sent = performance.now();
        const status = await line.exchange(request);
        times.push(performance.now() - sent);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const line of lines) line.close();
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

/** A connection that carries one request at a time. It shares the machine with the servers, so it does as little as can be. */
interface Line {
  /** @returns the status */
  exchange(request: Buffer): Promise<string>;
  close(): void;
}

async function open(port: number): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let waiting: { resolve(status: string): void; reject(error: Error): void } | undefined;
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
    if (!isWhole(answer)) return;
    waiting?.resolve(answer.slice(9, 12));
    answer = '';
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')));
  return {
    exchange: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => void socket.destroy(),
  };
}

/** As much of HTTP as these servers say. */
function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
  return answer.length >= head + 4 + length;
}
