/**
 * Hostile requests against a running ingress and worker, under the memory that docker-compose.yml gives them, while valid
 * signed webhooks come. What must hold, whatever is sent:
 *
 * - both processes live, and stay below their memory limits
 * - /healthz answers
 * - every valid webhook is taken, and written to the CRM in the end
 * - no answer is 429 or 500
 *
 * The requests follow from the seed. How they fall in time does not.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import fc from 'fast-check';
import { samplePayload } from '../../packages/synthflow/src/payload.ts';
import { makeConfig } from '../support/config.ts';
import type { Process } from '../support/process.ts';
import { openSystem, SECRET } from '../support/system.ts';
import { type HostileRequest, hostileRequests, largeBodies } from './hostile.ts';

const TOKEN = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
/** As docker-compose.yml limits them: `mem_limit`, and the old space that V8 takes in it, half of that. */
const LIMITS = {
  ingress: { mb: 512, node: '--max-old-space-size=256' },
  worker: { mb: 1024, node: '--max-old-space-size=512' },
} as const;

/** Requests in hand at once. */
const LANES = 8;
/** Requests that are drawn from the seed at once; of so many one is large. */
const BATCH = 50;
/** Between two valid webhooks, ms. */
const VALID_EVERY_MS = 250;
/** For an answer, ms. What stalls is ended by ingress before. */
const ANSWER_MS = 60_000;
/** Within which the last valid webhook must be in the CRM, ms. The machine may be busy with other things. */
const WRITTEN_MS = 300_000;

export interface FuzzOptions {
  seconds: number;
  seed: number;
  /** A Redis of its own, with what is written synced. */
  redis: string;
}

export interface FuzzReport {
  seed: number;
  requests: number;
  /** How often each status came; 0 where the connection ended without one. */
  answers: Record<string, number>;
  valid: number;
  /** Most memory each process had, MB. */
  peak_mb: { ingress: number; worker: number };
  /** Longest time that /healthz took, ms. For the record: the machine has its part in it. */
  longest_healthz_ms: number;
  /** What did not hold. */
  broken: string[];
}

export async function fuzz({ seconds, seed, redis }: FuzzOptions): Promise<FuzzReport> {
  const guarded = [
    '  guarded:',
    '    provider: synthflow',
    '    region: us',
    '    webhook_secrets: ["a secret of the other source, 32 bytes"]',
    `    path_token: ["${TOKEN}"]`,
  ].map((line) => `${line}\n`);
  const system = await openSystem({
    redis,
    config: makeConfig({
      routes: ['- { name: sales-calls, from: main, to: sales, mapping: mapping.yaml }'],
    }).replace('sources:\n', `sources:\n${guarded.join('')}`),
  });
  const broken = new Set<string>();
  const answers: Record<string, number> = {};
  let [requests, longest] = [0, 0];
  const validIds: string[] = [];
  let peaks = { ingress: 0, worker: 0 };
  try {
    const [ingress, worker] = await Promise.all([
      system.startIngress({ NODE_OPTIONS: LIMITS.ingress.node }),
      system.startWorker({ NODE_OPTIONS: LIMITS.worker.node }),
    ]);
    const end = Date.now() + seconds * 1_000;
    const goesOn = () => Date.now() < end && alive(ingress) && alive(worker);

    const attack = async (queue: AsyncIterator<HostileRequest>) => {
      while (goesOn()) {
        const { value: request } = await queue.next();
        const status = await send(ingress.port, request);
        requests += 1;
        answers[status] = (answers[status] ?? 0) + 1;
        if (status === 429 || status === 500) broken.add(`${status} to ${request.what}`);
      }
    };
    const beValid = async () => {
      for (let index = 0; goesOn(); index += 1) {
        const callId = `valid-${seed}-${index}`;
        const phone = `+1415555${String(1_000 + (index % 9_000)).padStart(4, '0')}`;
        const payload = samplePayload('connected', { call_id: callId, phone }) as { call: { call_id: string } };
        for (let taken = false; !taken && alive(ingress); ) {
          const { status, body } = await system
            .post(payload)
            .catch((error) => ({ status: 0, body: { type: String(error) } }));
          taken = status === 202 || status === 200;
          // How fast Redis and this machine are, they decide; a sender sends again on it.
          if (!taken && body.type !== 'urn:wrapup:problem:unavailable') {
            broken.add(`a valid webhook was answered ${status} ${String(body.type)}`);
            break;
          }
        }
        validIds.push(callId);
        await pause(VALID_EVERY_MS);
      }
    };
    const watch = async () => {
      while (goesOn()) {
        const begun = performance.now();
        const healthy = await fetch(`http://127.0.0.1:${ingress.port}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        );
        longest = Math.max(longest, performance.now() - begun);
        if (!healthy && alive(ingress)) broken.add('/healthz did not answer 200');
        await pause(200);
      }
    };
    const queue = requestsOf(seed);
    await Promise.all([beValid(), watch(), ...Array.from({ length: LANES }, () => attack(queue))]);

    for (const [name, one] of [['ingress', ingress] as const, ['worker', worker] as const]) {
      if (!alive(one)) broken.add(`${name} ended: ${JSON.stringify(one.lines.at(-1))}`);
    }
    const until = Date.now() + WRITTEN_MS;
    for (const callId of validIds) {
      if (!alive(worker)) break;
      const entry = await system.settled(callId, Math.max(1_000, until - Date.now())).catch((error) => String(error));
      const state = typeof entry === 'string' ? entry : entry.deliveries.map((one) => one.state).join();
      if (state !== 'written') broken.add(`a valid webhook ended as ${state}`);
    }
    peaks = { ingress: peakMb(ingress), worker: peakMb(worker) };
    for (const name of ['ingress', 'worker'] as const) {
      if (peaks[name] > LIMITS[name].mb) broken.add(`${name} took ${peaks[name]} MB, above ${LIMITS[name].mb}`);
    }
  } finally {
    await system.close();
  }
  return {
    seed,
    requests,
    answers,
    valid: validIds.length,
    peak_mb: peaks,
    longest_healthz_ms: Math.round(longest),
    broken: [...broken],
  };
}

async function* requestsOf(seed: number): AsyncGenerator<HostileRequest, never> {
  for (let batch = 0; ; batch += 1) {
    const from = { seed: seed + batch, numRuns: BATCH };
    yield* fc.sample(largeBodies(SECRET), { ...from, numRuns: 1 });
    for (const request of fc.sample(hostileRequests(SECRET, TOKEN), from)) {
      yield request;
      // What is drawn costs time: valid webhooks go on meanwhile.
      await pause(5);
    }
  }
}

/** @returns the status; 0 when the connection ended without one */
function send(port: number, { path, headers, body, cuts, stalls }: HostileRequest): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1] ?? 0));
    };
    const timer = setTimeout(finish, ANSWER_MS);
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      if (heard.includes('\r\n\r\n')) finish();
    });
    socket.on('error', finish).on('close', finish);
    const lines = Object.entries({ ...headers, host: 'x', 'content-length': String(body.length) });
    socket.write(
      `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      'latin1',
    );
    const ends = [...cuts.map((part) => Math.floor(part * body.length)).sort((a, b) => a - b), body.length];
    void (async () => {
      let begin = 0;
      for (const to of stalls ? ends.slice(0, -1) : ends) {
        socket.write(body.subarray(begin, to));
        begin = to;
        await pause(20);
      }
    })();
  });
}

function alive({ pid }: Process): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function peakMb({ pid }: Process): number {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
  } catch {
    return 0;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
