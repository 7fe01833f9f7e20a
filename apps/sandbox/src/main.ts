/**
 * The sandbox as a process.
 *
 * SANDBOX_PORT            default 8090; 0 takes any free one
 * SANDBOX_HOST            default 127.0.0.1, all interfaces in a container
 * SANDBOX_HUBSPOT_TOKEN   the only token taken; without it any that begins with `pat-`
 * SANDBOX_PROVISIONED     `false` begins without the properties that Wrapup needs, to try `provision`; default true
 * SANDBOX_SETTINGS        JSON: what differs from the default settings, e.g. {"hubspot":{"search_lag":0}}
 * SANDBOX_PUBLIC_HOST     host and port under which people reach its page, which links to records lead to; default this machine's
 * SANDBOX_ALLOWED_HOSTS   further names for the page and /_sandbox, separated by commas
 */
import { type Partially, type Settings, startSandbox } from '@wrapup/sandbox';
import { createLogger, listenHost, listenPort, onShutdown } from '@wrapup/telemetry';

const log = createLogger('sandbox');
const { env } = process;

try {
  const port = listenPort('sandbox');
  const sandbox = await startSandbox({
    port,
    // With any free port it is not known yet.
    publicHost: env.SANDBOX_PUBLIC_HOST || (port > 0 ? `127.0.0.1:${port}` : undefined),
    host: listenHost('sandbox'),
    provisioned: env.SANDBOX_PROVISIONED !== 'false',
    token: env.SANDBOX_HUBSPOT_TOKEN || undefined,
    settings: readSettings(env.SANDBOX_SETTINGS),
    // In a container the engine decides who can reach the port; from there every client looks like another machine.
    anyAddress: env.WRAPUP_CONTAINER === '1',
    allowedHosts: [
      ...(env.WRAPUP_CONTAINER === '1' ? ['sandbox'] : []),
      ...(env.SANDBOX_ALLOWED_HOSTS?.split(',').map((name) => name.trim().toLowerCase()) ?? []),
    ],
    log,
  });
  onShutdown([{ name: 'stop listening', run: () => sandbox.close() }], { log });
  log.info(
    {
      port: sandbox.port,
      url: sandbox.url,
      hubspot: sandbox.hubspotUrl,
      salesforce: sandbox.salesforceUrl,
      synthflow: sandbox.synthflowUrl,
    },
    'sandbox listens',
  );
} catch (error) {
  log.fatal({ err: error }, 'the sandbox could not start');
  process.exitCode = 1;
}

function readSettings(text: string | undefined): Partially<Settings> {
  if (!text) return {};
  try {
    return JSON.parse(text) as Partially<Settings>;
  } catch (error) {
    throw new Error(`SANDBOX_SETTINGS is no JSON: ${(error as Error).message}`, { cause: error });
  }
}
