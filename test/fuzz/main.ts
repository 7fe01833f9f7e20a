/**
 * Sends hostile requests to an ingress and a worker that it starts, and says what did not hold.
 *
 *   npm run fuzz                             five minutes, from a seed that it names
 *   npm run fuzz -- --seconds 60 --seed 7    a minute, and again the requests of that seed
 *
 * Exit code 1 when anything is broken. Part of `npm test` for a minute.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startRedisServer } from '../../scripts/local-redis.mjs';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '300' }, seed: { type: 'string' } },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const seconds = Number(values.seconds);
if (!Number.isInteger(seed) || !(seconds > 0)) {
  console.error('Give --seconds a number above 0, and --seed a whole number.');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'wrapup-fuzz-'));
const redis = await startRedisServer({ dir: folder, appendonly: true, timeout: 60_000 });
console.log(`seed ${seed}, ${seconds} s …`);
try {
  const report = await fuzz({ seconds, seed, redis: redis.url });
  console.log(JSON.stringify(report, undefined, 2));
  console.log(report.broken.length === 0 ? 'all held' : `${report.broken.length} broken: repeat with --seed ${seed}`);
  process.exitCode = report.broken.length === 0 ? 0 : 1;
} finally {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
