import { followConfig, readVariable } from '@wrapup/config';
import { openIntake } from '@wrapup/queue';
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
import { createIngress } from './ingress.ts';
import { readOptions } from './options.ts';

/** For requests in hand, each of which is answered within a second of its last byte. */
const DRAIN = 10_000;

const log = createLogger('ingress');

await startOrExit(log, async () => {
  const options = readOptions(readVariable);
  const config = await followConfig(log);
  const prefix = readVariable('WRAPUP_PREFIX');
  const intake = openIntake({
    url: readVariable('REDIS_URL') || 'redis://127.0.0.1:6379',
    ...(prefix && { prefix }),
    ledger_days: config.current().retention.ledger_days,
    onError: logConnectionErrors(log, 'Redis connection'),
  });

  const app = createIngress({ config: config.current, intake, log, metrics: createMetrics(), options });
  const served = await serve(app, { port: listenPort('ingress'), host: listenHost('ingress'), name: 'ingress', log });
  onShutdown(
    [
      { name: 'answer the requests in hand', run: () => served.close(DRAIN) },
      { name: 'stop watching the configuration', run: () => config.close() },
      { name: 'close Redis', run: () => intake.close() },
    ],
    { deadline: DRAIN + 2_000, log },
  );
});
