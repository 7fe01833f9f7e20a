/** What a run's installation is: its wrapup.yaml and mappings, and what of it a fault needs to be otherwise. */
import { makeConfig, SALES } from '../support/config.ts';

export const SECRET = 'a-webhook-secret-for-breaking';
/** Part of the address where callers are looked up. */
export const PATH_TOKEN = 'a-path-token-for-breaking';
export const ENDPOINT_SECRET = `whsec_${Buffer.alloc(32, 'break').toString('base64')}`;

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
  /** What only a soak has. */
  soak?: SoakSetup;
}

export interface SoakSetup {
  /** An HTTP endpoint that gets an event of each call. */
  endpoint: string;
  /** `retention`, in seconds: below what a configuration may say, which a preload allows. */
  ledger_s: number;
  delivered_s: number;
  /** Modules that each process loads first. */
  preloads: string[];
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

export function configOf({ bothCrms, oauth, voice, soak }: Setup): string {
  return makeConfig({
    source: [
      // A webhook whose call was fetched before is confirmed by reading it once more: all at once here.
      ...(voice ? ['api_key: any-key', 'base_url: "${SYNTHFLOW_BASE_URL}"', 'reads_per_minute: 10000'] : []),
      ...(soak ? [`path_token: ["${PATH_TOKEN}"]`] : []),
    ],
    connections: [
      oauth ? `sales: ${APP}, base_url: "\${HUBSPOT_BASE_URL}" }` : SALES,
      ...(bothCrms ? [ORG] : []),
      ...(soak
        ? [`events: { kind: http, url: "${soak.endpoint}", secret: "${ENDPOINT_SECRET}", allow_private: true }`]
        : []),
    ],
    routes: [
      `- { name: sales-calls, to: sales, mapping: mapping.yaml, ${RETRIES} }`,
      ...(bothCrms ? [`- { name: org-calls, to: org, mapping: salesforce.yaml, ${RETRIES} }`] : []),
      ...(soak ? [`- { name: events, to: events, mapping: event.yaml, ${RETRIES} }`] : []),
    ],
    rest: soak
      ? `retention: { ledger: ${soak.ledger_s}s, delivered: ${soak.delivered_s}s, stopped: ${soak.ledger_s}s }
inbound: { look_up: sales, variables: { first_name: person.firstname } }`
      : '',
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
  others: { 'salesforce.yaml': 'extends: salesforce/lead-capture\n', 'event.yaml': 'extends: http/event\n' },
} as const;
