/**
 * Loaded first by each process of a soak. It lets the configuration keep things for minutes instead of days, so that what
 * expires does so within the run, and notes what the process takes when it is asked by SIGUSR2: after a garbage collection,
 * as JSON in the folder that WRAPUP_SOAK_VITALS names. WRAPUP_SOAK_LEAK has it keep so many bytes of each request that it
 * serves or makes: the control, which has to be found.
 */
import { subscribe } from 'node:diagnostics_channel';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const SCHEMA = '/packages/config/src/file/schema.ts';
const SHORTER = [
  ["ledger: duration(DAY, 3650 * DAY, 'from 1d to 3650d')", 'ledger: duration(1, 3650 * DAY, "any")'],
  ["delivered: duration(HOUR, 3650 * DAY, 'from 1h to 3650d')", 'delivered: duration(1, 3650 * DAY, "any")'],
  ["stopped: duration(DAY, 3650 * DAY, 'from 1d to 3650d')", 'stopped: duration(1, 3650 * DAY, "any")'],
];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(SCHEMA)) return loaded;
    let source = String(loaded.source);
    for (const [bounds, shorter] of SHORTER) {
      if (!source.includes(bounds))
        throw new Error(`${SCHEMA} has no ${bounds} any more: correct test/soak/preload.mjs`);
      source = source.replace(bounds, shorter);
    }
    return { ...loaded, source };
  },
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const lag = monitorEventLoopDelay({ resolution: 10 });
lag.enable();
const folder = process.env.WRAPUP_SOAK_VITALS;
let asked = 0;

process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  const [lag_p50, lag_p99, lag_max] = [lag.percentile(50), lag.percentile(99), lag.max].map((ns) => ns / 1e6);
  // All that can go, as for a heap snapshot: a usual collection leaves code and caches that nothing needs, by megabytes.
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const { rss, heapUsed, external } = process.memoryUsage();
  asked += 1;
  const vitals = {
    asked,
    up: performance.now(),
    rss,
    // What is outside of the heap and held from within it counts.
    heap: heapUsed + external,
    fds: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
    cpu: (user + system) / 1000,
    lag_p50,
    lag_p99,
    lag_max,
  };
  const file = join(folder, `${process.pid}.json`);
  writeFileSync(`${file}.new`, JSON.stringify(vitals));
  renameSync(`${file}.new`, file);
  // The collection and the writing are not the process's own.
  lag.reset();
});

const leaked = [];
const bytes = Number(process.env.WRAPUP_SOAK_LEAK ?? 0);
if (bytes > 0) {
  const leak = () => leaked.push(Buffer.alloc(bytes, leaked.length % 256));
  subscribe('http.server.request.start', leak);
}
