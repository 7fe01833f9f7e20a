/** What a run's installation is: its wrapup.yaml and mappings, and what of it a fault needs to be otherwise. */
import { makeConfig, SALES } from '../support/config.ts';

export const SECRET = 'a-webhook-secret-for-breaking';

export interface Setup {
  /** Worker processes. */
  workers: number;
  /** Each call goes to HubSpot and to Salesforce. */
  bothCrms: boolean;
  /** HubSpot is reached by TLS. */
  tls: boolean;
  /** HubSpot is reached as an OAuth app, whose tokens end every few seconds and whose refresh token is replaced each time. */
  oauth: boolean;
  /** The voice platform knows all calls, and reconciliation may ask it. */
  voice: boolean;
  /** Folder of another release, with its dependencies. */
  other_release?: string | undefined;
}

export const USUAL: Setup = { workers: 1, bothCrms: false, tls: false, oauth: false, voice: false };

/** What serves all of them. */
export function setupFor(wishes: readonly Partial<Setup>[]): Setup {
  const any = (name: 'bothCrms' | 'tls' | 'oauth' | 'voice') => wishes.some((wish) => wish[name] === true);
  return {
    workers: Math.max(...wishes.map(({ workers = 1 }) => workers)),
    ...{ bothCrms: any('bothCrms'), tls: any('tls'), oauth: any('oauth'), voice: any('voice') },
  };
}

/** Of the sandbox, as its settings have it. */
const APP = '{ kind: hubspot, client_id: sandbox-client, client_secret: sandbox-secret, refresh_token: sandbox-refresh';
const ORG =
  'org: { kind: salesforce, client_id: sandbox-consumer-key, client_secret: "${SALESFORCE_CLIENT_SECRET}", base_url: "${SALESFORCE_BASE_URL}" }';
/** Retries come soon, so that a run is over soon; in number they are as shipped. */
const RETRIES = 'retries: { base: 500ms, cap: 5s }';

export function configOf({ bothCrms, oauth, voice }: Setup): string {
  return makeConfig({
    // A webhook whose call was fetched before is confirmed by reading it once more: all at once here.
    source: voice ? ['api_key: any-key', 'base_url: "${SYNTHFLOW_BASE_URL}"', 'reads_per_minute: 10000'] : [],
    connections: [oauth ? `sales: ${APP}, base_url: "\${HUBSPOT_BASE_URL}" }` : SALES, ...(bothCrms ? [ORG] : [])],
    routes: [
      `- { name: sales-calls, to: sales, mapping: mapping.yaml, ${RETRIES} }`,
      ...(bothCrms ? [`- { name: org-calls, to: org, mapping: salesforce.yaml, ${RETRIES} }`] : []),
    ],
  });
}

export const MAPPINGS = {
  usual: `
extends: hubspot/call-log
`,
  /** Means the same people and the same log, and says it otherwise. */
  other: `
extends: hubspot/call-log
call_log:
  title: "Other: {{ call.outcome }}"
`,
  /** By file. */
  others: { 'salesforce.yaml': 'extends: salesforce/lead-capture\n' },
} as const;
