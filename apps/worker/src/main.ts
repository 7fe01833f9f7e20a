import { keysOfClient, type LiveConfig, openConfig, readDashboardAddress, readRedisSettings } from '@wrapup/config';
import { ClientFiles, checkInstallationAtStart, checkRedis, openStore } from '@wrapup/queue';
import {
  createLogger,
  createMetrics,
  healthRoutes,
  listenHost,
  listenPort,
  logConnectionErrors,
  onShutdown,
  openTracing,
  serve,
  startOrExit,
} from '@wrapup/telemetry';
import { startWorker } from './worker.ts';

/** A queue that has work and finishes none of it for so long makes the process not ready. */
const STUCK_MS = 120_000;
/** For the batch in hand, below what compose grants (`stop_grace_period`). */
const DRAIN_MS = 35_000;

const log = createLogger('worker');

await startOrExit(log, async () => {
  const onError = logConnectionErrors(log, 'Redis connection');
  // The last good files of clients are read from the store before their keys are known; they are under the installation's.
  let live: LiveConfig | undefined;
  const client_keys = (client: string) => live && keysOfClient(live.current(), client);
  const store = openStore({ ...readRedisSettings(), client_keys, role: 'worker', onError });
  await checkInstallationAtStart(store, log);
  const metrics = createMetrics('worker');
  const config = await openConfig(log, 'worker', new ClientFiles(store));
  live = config;
  const tracing = await openTracing('worker');
  const worker = await startWorker({
    ...{ store, config: config.current, reload: () => config.reload(), log, metrics, tracing, onError },
    dashboard: readDashboardAddress(),
  });
  config.onReload(() => {
    worker.reconfigure().catch((error) => log.error({ err: error }, 'a connection could not be reconfigured'));
  });

  const ready = async () => {
    const { ok, problems } = await checkRedis(store.redis, store.keys);
    const stuck = ok ? await worker.stuck(STUCK_MS) : [];
    return {
      ok: ok && stuck.length === 0,
      problems: [...problems, ...stuck.map((name) => `queue ${name} does not move`)],
    };
  };
  const served = await serve(healthRoutes({ metrics, ready }), {
    port: listenPort('worker'),
    host: listenHost('worker'),
    name: 'worker',
    log,
    fallbackToFreePort: true,
  });

  onShutdown(
    [
      { name: 'stop watching the configuration', run: () => config.close() },
      { name: 'finish the batch in hand', run: () => worker.close(DRAIN_MS) },
      { name: 'close Redis', run: () => store.close() },
      { name: 'send the last traces', run: () => tracing.close() },
      { name: 'stop listening', run: () => served.close(1000) },
    ],
    { deadline: DRAIN_MS + 5_000, log },
  );
});
