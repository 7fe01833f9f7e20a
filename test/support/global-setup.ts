import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findRedisServer, startRedisServer } from '../../scripts/local-redis.mjs';
import { PATIENCE } from './patience.ts';

/** One Redis for the whole run, gone with it. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await findRedisServer();
  const dir = mkdtempSync(join(tmpdir(), 'wrapup-tests-'));
  const redis = await startRedisServer({ dir, server, timeout: PATIENCE });
  project.provide('redisUrl', redis.url);
  project.provide('redisServer', server);
  return async () => {
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}
