import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findRedisServer, startRedisServer } from '../../scripts/local-redis.mjs';
import { makeBundles } from './bundles.ts';
import { PATIENCE } from './patience.ts';
import { BUNDLES } from './process.ts';

/** One Redis for the whole run, gone with it, and the bundles of its processes. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const [server, bundles] = await Promise.all([findRedisServer(), makeBundles()]);
  process.env[BUNDLES] = bundles;
  const dir = mkdtempSync(join(tmpdir(), 'wrapup-tests-'));
  const redis = await startRedisServer({ dir, server, timeout: PATIENCE });
  project.provide('redisUrl', redis.url);
  project.provide('redisServer', server);
  return async () => {
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}
