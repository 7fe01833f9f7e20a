/** What runs are made on: a Redis of its own, the sandbox as the CRM, and configurations. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '@wrapup/sandbox';
import { Redis } from 'ioredis';
import { startRedisServer } from '../../scripts/local-redis.mjs';
import { explore } from './exploration.ts';
import { loadConfigs } from './stage/actors.ts';
import type { Ground } from './stage/stage.ts';
import { CRM, enter } from './world/world.ts';

/** Longer than a Redis takes to start on a machine that many share, ms. */
const STARTS_WITHIN = 60_000;

export interface OpenGround extends Ground {
  close(): Promise<void>;
}

export async function openGround(): Promise<OpenGround> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-explore-'));
  const socket = join(folder, 'redis.sock');
  // The fields of a hash come in the order in which they were set as long as it is packed.
  const args = ['--hash-max-listpack-value', '1000000', '--unixsocket', socket];
  const server = await startRedisServer({ dir: folder, timeout: STARTS_WITHIN, args });
  const redis = new Redis({ path: socket, connectTimeout: STARTS_WITHIN });
  const sandbox = await enter(CRM, () => startSandbox());
  const configs = await loadConfigs(sandbox.hubspotUrl);
  const ground = { redis, sandbox, configs, loaded: new Map<string, string>() };
  // What is loaded when it is first used would come at another moment than later on.
  await explore(ground, { seed: 1, steps: 0 });
  return {
    ...ground,
    async close() {
      redis.disconnect();
      await sandbox.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
