/** wrapup.yaml for tests and benchmarks, and how they speak to the ingress that reads it. */
import { sign } from '../../packages/synthflow/src/index.ts';
import { PATIENCE } from './patience.ts';

/** Parts of a wrapup.yaml, as lines of YAML. */
export interface ConfigParts {
  /** Further lines of the source `main`. */
  source?: string[];
  /** Default: `sales`, a HubSpot connection. */
  connections?: string[];
  /** Default: all calls go to `sales` by mapping.yaml. */
  routes?: string[];
  /** Further sections. */
  rest?: string;
}

/** The default connection, for beside others. */
export const SALES =
  'sales: { kind: hubspot, access_token: "${HUBSPOT_ACCESS_TOKEN}", base_url: "${HUBSPOT_BASE_URL}" }';

export function makeConfig({ source = [], connections = [SALES], routes, rest = '' }: ConfigParts = {}): string {
  const indented = (lines: string[], by: string) => lines.map((line) => `${by}${line}\n`).join('');
  return `
sources:
  main:
    provider: synthflow
    region: us
    webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"]
    default_country: US
${indented(source, '    ')}
connections:
${indented(connections, '  ')}
routes:
${indented(routes ?? ['- { name: sales-calls, to: sales, mapping: mapping.yaml }'], '  ')}
${rest}
`;
}

/** Posts a payload as Synthflow would. @param within ms for the whole answer */
export function postSigned(
  port: number | undefined,
  payload: { call: { call_id: string } },
  secret: string,
  { source = 'main', within = PATIENCE } = {},
): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/webhooks/${source}/post-call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'synthflow-signature': sign(payload.call.call_id, secret) },
    body: JSON.stringify(payload),
    signal: AbortSignal.timeout(within),
  });
}

/** Waits until a process that listens can also work: it answers 503 until Redis does. */
export async function becomesReady(port: number): Promise<void> {
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 20));
}
