/**
 * An honest source beside an attack: asks `/healthz` and sends valid signed webhooks without a pause until its input
 * ends, then prints how both went. A process of its own, so that what keeps the attacker busy is not measured.
 *
 *   node bench/support/honest-source.ts '{"port":8080,"secret":"…"}'
 */
import { setTimeout as pause } from 'node:timers/promises';
import { sign } from '../../packages/synthflow/src/payload.ts';

export interface HonestOptions {
  port: number;
  secret: string;
}

export interface HonestFigures {
  /** Longest answer of `/healthz`, ms. */
  freeze: number;
  /** Valid webhooks sent. */
  sent: number;
  /** Of these, answered 2xx. */
  taken: number;
  /** Longest answer to one of them, ms. */
  worst: number;
}

const BODY = 'human: hello\n'.repeat(600);
const EVERY_MS = 20;

if (import.meta.main) {
  let ended = false;
  process.stdin.resume().once('end', () => {
    ended = true;
  });
  const figures = await beHonest(JSON.parse(process.argv[2] ?? '{}') as HonestOptions, () => ended);
  process.stdout.write(JSON.stringify(figures));
}

async function beHonest({ port, secret }: HonestOptions, hasEnded: () => boolean): Promise<HonestFigures> {
  const url = `http://127.0.0.1:${port}`;
  const figures: HonestFigures = { freeze: 0, sent: 0, taken: 0, worst: 0 };
  const headers = { connection: 'close' };
  const watch = async () => {
    while (!hasEnded()) {
      figures.freeze = Math.max(figures.freeze, (await timed(() => fetch(`${url}/healthz`, { headers }))).ms);
      await pause(EVERY_MS);
    }
  };
  const send = async () => {
    while (!hasEnded()) {
      const callId = `honest-${figures.sent++}`;
      const body = JSON.stringify({ status: 'completed', call: { call_id: callId, transcript: BODY } });
      const signed = { ...headers, 'content-type': 'application/json', 'synthflow-signature': sign(callId, secret) };
      const path = `${url}/webhooks/main/post-call`;
      const { ms, status } = await timed(() => fetch(path, { method: 'POST', headers: signed, body }));
      figures.worst = Math.max(figures.worst, ms);
      if (status === 200 || status === 202) figures.taken += 1;
      await pause(EVERY_MS);
    }
  };
  await Promise.all([watch(), send()]);
  return figures;
}

/** @returns status 0 where there was no answer */
async function timed(ask: () => Promise<Response>): Promise<{ ms: number; status: number }> {
  const began = performance.now();
  const status = await ask().then(
    async (response) => {
      await response.text();
      return response.status;
    },
    () => 0,
  );
  return { ms: performance.now() - began, status };
}
