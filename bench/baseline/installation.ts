/** The baseline as a whole: its ingress, its worker, a Redis as Wrapup's, and the same sandbox. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Partially, type RunningSandbox, type Settings, startSandbox } from '@wrapup/sandbox';
import { Redis } from 'ioredis';
import { type RedisServer, startRedisServer } from '../../scripts/local-redis.mjs';
import { postSigned } from '../../test/support/config.ts';
import { type Process, startScript } from '../../test/support/process.ts';
import type { Payload } from '../support/calls.ts';
import { comesTrue } from '../support/watch.ts';

const SECRET = 'a-webhook-secret-for-measuring';

export interface Baseline {
  sandbox: RunningSandbox;
  redis: RedisServer;
  worker: Process;
  post(payload: Payload): Promise<void>;
  /** Resolves when so many calls are done, of all since the beginning; BullMQ keeps the last 1,000. @param within ms */
  done(calls: number, within?: number): Promise<void>;
  close(): Promise<void>;
}

export async function openBaseline(settings: Partially<Settings>, env: Record<string, string> = {}): Promise<Baseline> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-bench-'));
  const redis = await startRedisServer({ dir: join(folder, 'redis'), appendonly: true });
  const sandbox = await startSandbox({ port: 0, provisioned: true, settings });
  const all = {
    REDIS_URL: redis.url,
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-bench',
    HUBSPOT_BASE_URL: sandbox.hubspotUrl,
    SALESFORCE_LOGIN_URL: sandbox.salesforceUrl,
    ...env,
  };
  const ingress = await startScript('bench/baseline/ingress-express.ts', all);
  const worker = await startScript('bench/baseline/worker.ts', all);
  const client = new Redis(redis.url);
  return {
    sandbox,
    redis,
    worker,
    done: (calls, within = 600_000) =>
      comesTrue(async () => (await client.zcard('bull:calls:completed')) >= calls, within, 20),
    async post(payload) {
      const answer = await postSigned(ingress.port, payload, SECRET, { within: 120_000 });
      if (answer.status !== 202) throw new Error(`the baseline's ingress answered ${answer.status}`);
      await answer.body?.cancel();
    },
    async close() {
      client.disconnect();
      await Promise.all([ingress.kill(), worker.kill()]);
      await sandbox.close();
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
