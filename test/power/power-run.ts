/** One installation that takes calls over many connections while its Redis loses power, again and again. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { jobId, openStore, revisionOf, type Store } from '../../packages/queue/src/index.ts';
import { samplePayload, sign } from '../../packages/synthflow/src/index.ts';
import { freePort } from '../../scripts/ports.mjs';
import { makeConfig } from '../support/config.ts';
import { phoneOf } from '../support/phone.ts';
import { startIngress } from '../support/process.ts';
import { makeRandom } from '../support/random.ts';
import { type PowerCut, PowerRedis, TAILS } from './power-redis.ts';

export interface PowerRun {
  seed: number;
  appendfsync: 'always' | 'everysec';
  acknowledged: number;
  cuts: PowerCut[];
  /** Acknowledged calls of which the entry in the ledger, the bytes or the job is not there. */
  lost: number;
  /**
   * Calls that were on their way when a cut flipped bits, and are damaged by it: Redis has no checksum in this file, loads what
   * can still be read as commands, and the repeat of such a call is a repeat of what is there.
   */
  damaged: number;
  /** Some of those that are lost, by what is missing. */
  examples: string[];
  seconds: number;
}

export interface PowerRunOptions {
  seed: number;
  appendfsync: PowerRun['appendfsync'];
  /** To be acknowledged. */
  calls: number;
  cuts: number;
  shim: string;
}

const SECRET = 'a-webhook-secret-for-power-cuts';
/** Connections of senders. */
const AT_ONCE = 64;
/** Of a sender that got no 2xx, ms. */
const REPEATS_AFTER = 50;
/** Redis writes its file anew so early, so that cuts also hit that. */
const REWRITE = ['--auto-aof-rewrite-min-size', '4mb'];
const READ_AT_ONCE = 250;
const CONNECTS = 60_000;

interface Sent {
  id: string;
  revision: string;
}

export async function runPower({ seed, appendfsync, calls, cuts, shim }: PowerRunOptions): Promise<PowerRun> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-power-'));
  const dir = join(folder, 'redis');
  mkdirSync(dir);
  writeFileSync(join(folder, 'wrapup.yaml'), makeConfig());
  writeFileSync(join(folder, 'mapping.yaml'), 'extends: hubspot/call-log\n');
  const args = [...REWRITE, '--appendfsync', appendfsync];
  const redis = await PowerRedis.open({ dir, port: await freePort(), shim, args });
  const ingress = await startIngress({
    REDIS_URL: redis.url,
    WRAPUP_CONFIG: join(folder, 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-power',
    INGRESS_PORT: '0',
  });
  const store = openStore({ url: redis.url, role: 'worker', onError() {} });
  const random = makeRandom(seed);
  const run: PowerRun = { seed, appendfsync, acknowledged: 0, cuts: [], lost: 0, damaged: 0, examples: [], seconds: 0 };
  const acknowledged: Sent[] = [];
  const missing = new Map<string, string>();
  const look = async (from: number) => {
    await store.connected(CONNECTS);
    for (const [id, what] of await findMissing(store, acknowledged.slice(from))) missing.set(id, what);
  };
  const underWay = new Set<string>();
  const flipped = new Set<string>();
  let wanted = calls;
  const goOn = () => acknowledged.length < wanted;
  const sending = sendCalls(ingress.port, `power-${seed}`, { goOn, underWay, acknowledged });
  try {
    let looked = 0;
    for (let cut = 0; cut < cuts; cut += 1) {
      const at = ((cut + 0.2 + 0.7 * random()) * calls) / cuts;
      while (acknowledged.length < at) await pause(5);
      await pause(random() * 10);
      const tail = TAILS[cut % TAILS.length] ?? 'gone';
      const losing = redis.losePower(tail, random);
      if (tail === 'flipped') for (const id of underWay) flipped.add(id);
      run.cuts.push(await losing);
      await look(looked);
      looked = acknowledged.length;
    }
    await sending;
    // All of them once more: a later cut must not take what an earlier one left.
    await look(0);
  } finally {
    wanted = 0;
    await sending;
    await Promise.all([ingress.kill(), store.close()]);
    await redis.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
  const lost = [...missing].filter(([id]) => !flipped.has(id));
  const examples = lost.slice(0, 5).map(([id, what]) => `${id}: ${what}`);
  const seconds = (performance.now() - began) / 1000;
  const damaged = missing.size - lost.length;
  return { ...run, acknowledged: acknowledged.length, lost: lost.length, damaged, examples, seconds };
}

interface Sending {
  goOn(): boolean;
  /** Ids of those that are not acknowledged yet. */
  underWay: Set<string>;
  acknowledged: Sent[];
}

/** Sends calls, each until it is acknowledged, while `goOn` holds; gives up one that is not when it no longer does. */
async function sendCalls(port: number, name: string, { goOn, underWay, acknowledged }: Sending): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let made = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (goOn()) {
        made += 1;
        const id = `${name}-${made}`;
        const phone = phoneOf(made);
        const body = Buffer.from(
          JSON.stringify(samplePayload('connected', { call_id: id, phone, name: `Person ${made}` })),
        );
        underWay.add(id);
        while (goOn()) {
          const status = await post(agent, port, body, sign(id, SECRET));
          if (status === 200 || status === 202) {
            acknowledged.push({ id, revision: revisionOf(body) });
            underWay.delete(id);
            break;
          }
          if (status !== 0 && status !== 503) throw new Error(`ingress answered ${status}`);
          await pause(REPEATS_AFTER);
        }
      }
    }),
  );
  agent.destroy();
}

/** @returns the status, or 0 when there was no answer */
function post(agent: Agent, port: number, body: Buffer, signature: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'synthflow-signature': signature,
    };
    const path = '/webhooks/main/post-call';
    const sent = request(
      { agent, host: '127.0.0.1', port, path, method: 'POST', headers, timeout: 30_000 },
      (answer) => {
        answer.resume();
        answer.once('close', () => resolve(answer.complete ? (answer.statusCode ?? 0) : 0));
      },
    );
    sent.once('timeout', () => sent.destroy());
    sent.once('error', () => resolve(0));
    sent.end(body);
  });
}

/** What is not there of calls that were acknowledged, by call id. */
async function findMissing(store: Store, sent: readonly Sent[]): Promise<[string, string][]> {
  const missing: [string, string][] = [];
  const queue = store.queues.calls('main');
  for (let from = 0; from < sent.length; from += READ_AT_ONCE) {
    await Promise.all(
      sent.slice(from, from + READ_AT_ONCE).map(async ({ id, revision }) => {
        const [entry, bytes, job] = await Promise.all([
          // What is damaged cannot be read.
          store.ledger.read('main', id).catch(() => undefined),
          store.payloads.read('main', id, revision).catch(() => undefined),
          queue.getJob(jobId('c', 'main', id, revision)).catch(() => undefined),
        ]);
        const gone = [!entry && 'entry', !bytes && 'bytes', !job && 'job'].filter((part) => part !== false);
        if (gone.length > 0) missing.push([id, `no ${gone.join(', no ')}`]);
        else if (bytes && revisionOf(bytes) !== revision) missing.push([id, 'other bytes than were sent']);
      }),
    );
  }
  return missing;
}
