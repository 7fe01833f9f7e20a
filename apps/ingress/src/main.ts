import {
  goodFiles,
  keysOfClient,
  type LiveConfig,
  openConfig,
  readRedisSettings,
  readVariable,
  retentionOf,
} from '@wrapup/config';
import { askClientFiles, NOTE_CLIENTS_EVERY_MS, openIntake, openStore } from '@wrapup/queue';
import {
  createLogger,
  createMetrics,
  healthRoutes,
  internalAddress,
  listenHost,
  listenPort,
  logConnectionErrors,
  onShutdown,
  openTracing,
  serve,
  startOrExit,
} from '@wrapup/telemetry';
import { openCallerLookup } from './inbound/caller-lookup.ts';
import { createIngress, observe } from './ingress.ts';
import { readOptions } from './options.ts';

/** For requests under way, each of which is answered within a second of its last byte. */
const DRAIN_MS = 10_000;

const log = createLogger('ingress');

await startOrExit(log, async () => {
  const internal = internalAddress();
  const options = { ...readOptions(readVariable), observable: internal === undefined };
  // The last good files of clients are read from Redis before their keys are known; they are under the installation's.
  let live: LiveConfig | undefined;
  const client_keys = (client: string) => live && keysOfClient(live.current(), client);
  const onError = logConnectionErrors(log, 'Redis connection');
  const redis = { ...readRedisSettings(), client_keys, onError };
  const openOwn = () => openStore({ ...redis, role: 'producer' });
  const config = await openConfig(log, 'ingress', {
    read: (client) => askClientFiles(openOwn, (files) => files.read(client)),
    settled: () => askClientFiles(openOwn, (files) => files.settled()),
  });
  live = config;
  const ledgerDays = (source: string) => retentionOf(config.current(), source).ledger_days;
  const metrics = createMetrics('ingress');
  const writes = metrics.histogram('redis_write_seconds');
  const onWrite = (ms: number) => writes.observe(ms / 1000);
  const intake = openIntake({ ...redis, ledgerDays, onWrite });
  await intake.checkAtStart(log);
  const callers = openCallerLookup({
    config: config.current,
    openStore: openOwn,
    log,
    metrics,
  });
  // Before the port opens: the first call should not wait for a client to be loaded.
  await callers.prepare();
  // What ingress misses, no other process does.
  const noteClients = () =>
    intake
      .noteClients(Object.values(config.current().clients), goodFiles(config.current()))
      .catch((error) => log.debug({ err: error }, 'which clients are not current could not be noted'));
  const noting = setInterval(noteClients, NOTE_CLIENTS_EVERY_MS);
  void noteClients();
  config.onReload(() => {
    void callers.prepare();
    void noteClients();
  });

  const tracing = await openTracing('ingress');
  const app = createIngress({ config: config.current, intake, callers, log, metrics, tracing, options });
  const { maxConnections } = options;
  const address = { port: listenPort('ingress'), host: listenHost('ingress') };
  const served = await serve(app, { ...address, name: 'ingress', maxConnections, log });
  const observed =
    internal &&
    (await serve(healthRoutes(observe({ config: config.current, intake, metrics, options })), {
      ...internal,
      name: 'ingress_internal',
      log,
    }));
  metrics.gauge('ingress_connections', (gauge) => gauge.set(served.connections.open));
  metrics.counter('ingress_connections_closed_total', (counter) => {
    counter.reset();
    counter.inc(served.connections.closed);
  });
  onShutdown(
    [
      { name: 'answer the requests in hand', run: () => served.close(DRAIN_MS) },
      { name: 'close the internal port', run: () => observed?.close(0) },
      {
        name: 'stop watching the configuration',
        run: () => {
          clearInterval(noting);
          config.close();
        },
      },
      { name: 'leave the CRM', run: () => callers.close() },
      { name: 'close Redis', run: () => intake.close() },
      { name: 'send the last traces', run: () => tracing.close() },
    ],
    { deadline: DRAIN_MS + 2_000, log },
  );
});
