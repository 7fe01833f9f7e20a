import {
  hasClientLogins,
  keysOfClient,
  type LiveConfig,
  openConfig,
  readRedisSettings,
  usersFile,
  watchUsers,
} from '@wrapup/config';
import { ClientFiles, checkInstallationAtStart, checkInstallationLater, openStore } from '@wrapup/queue';
import {
  createLogger,
  createMetrics,
  listenPort,
  logConnectionErrors,
  onShutdown,
  serve,
  startOrExit,
} from '@wrapup/telemetry';
import { createDashboard } from './dashboard.ts';
import { readOptions } from './options.ts';

const log = createLogger('dashboard');

await startOrExit(log, async () => {
  const users = watchUsers(usersFile(), (error) => log.error({ err: error }, 'the file of users lets no one in'));
  const hasUsers = Object.keys(users()).length > 0;
  const { credentials, generated, confined, ...options } = readOptions(process.env, hasUsers);
  const port = listenPort('dashboard');
  // The last good files of clients are read from the store before their keys are known; they are under the installation's.
  let live: LiveConfig | undefined;
  const store = openStore({
    ...readRedisSettings(),
    client_keys: (client) => live && keysOfClient(live.current(), client),
    role: 'producer',
    onError: logConnectionErrors(log, 'Redis connection'),
  });
  // It starts without Redis, too: its pages say what is wrong, and work once Redis answers.
  await store.connected().catch(() => log.warn({}, 'Redis does not answer yet'));
  const config = await openConfig(log, 'dashboard', new ClientFiles(store));
  live = config;

  if (confined) {
    log.warn({}, 'DASHBOARD_HOST is not followed without DASHBOARD_PASSWORD: the dashboard binds to loopback only');
  } else if (!credentials && !hasUsers && !options.singleSignOn) {
    log.info({}, 'no DASHBOARD_PASSWORD: the dashboard binds to loopback only and asks local users for no password');
  }
  if (credentials && generated) {
    // Past the logger, which would redact it: it is printed this once.
    process.stdout.write(
      `\nDashboard: user ${credentials.user}, password ${credentials.password}\n(made up at this start; set DASHBOARD_PASSWORD to choose one)\n\n`,
    );
  }

  if (!credentials && !hasUsers && !options.singleSignOn && hasClientLogins(config.current())) {
    log.warn({}, 'clients have logins, which nothing asks for without DASHBOARD_PASSWORD: local users see all clients');
  }

  const fits = await checkInstallationAtStart(store, log);
  if (!fits) void startOrExit(log, () => checkInstallationLater(store));

  const stopping = new AbortController();
  const dashboard = createDashboard({
    store,
    stopping: stopping.signal,
    config: config.current,
    async latest() {
      return { config: await config.reload(), broken: config.broken };
    },
    log,
    metrics: createMetrics('dashboard'),
    users,
    ...(credentials && { credentials }),
    ...options,
  });
  const served = await serve(dashboard, { port, host: options.host, name: 'dashboard', log });

  onShutdown(
    [
      { name: 'end what is open for long', run: async () => stopping.abort() },
      { name: 'answer the requests in hand', run: () => served.close(5_000) },
      { name: 'stop watching the configuration', run: () => config.close() },
      { name: 'close Redis', run: () => store.close() },
    ],
    { deadline: 10_000, log },
  );
});
