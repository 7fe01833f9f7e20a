import { followConfig, readRedisSettings, readVariable } from '@wrapup/config';
import { openIntake, openStore } from '@wrapup/queue';
import {
  createLogger,
  createMetrics,
  listenHost,
  listenPort,
  logConnectionErrors,
  onShutdown,
  serve,
  startOrExit,
} from '@wrapup/telemetry';
import { openCallers } from './inbound/callers.ts';
import { createIngress } from './ingress.ts';
import { readOptions } from './options.ts';

/** For requests in hand, each of which is answered within a second of its last byte. */
const DRAIN = 10_000;

const log = createLogger('ingress');

await startOrExit(log, async () => {
  const options = readOptions(readVariable);
  const config = await followConfig(log, 'ingress');
  const redis = { ...readRedisSettings(), onError: logConnectionErrors(log, 'Redis connection') };
  const intake = openIntake({ ...redis, ledger_days: config.current().retention.ledger_days });
  const metrics = createMetrics();
  const callers = openCallers({
    config: config.current,
    openStore: () => openStore({ ...redis, role: 'producer' }),
    log,
    metrics,
  });
  // Before anybody can call: the first one should not wait for a client to be loaded.
  await callers.prepare();
  config.onReload(() => void callers.prepare());

  const app = createIngress({ config: config.current, intake, callers, log, metrics, options });
  const served = await serve(app, { port: listenPort('ingress'), host: listenHost('ingress'), name: 'ingress', log });
  onShutdown(
    [
      { name: 'answer the requests in hand', run: () => served.close(DRAIN) },
      { name: 'stop watching the configuration', run: () => config.close() },
      { name: 'leave the CRM', run: () => callers.close() },
      { name: 'close Redis', run: () => intake.close() },
    ],
    { deadline: DRAIN + 2_000, log },
  );
});
