/**
 * The configuration as the processes use it: checked, defaults filled in, secrets resolved, mappings compiled.
 * Immutable; a reload makes a new one, whole or not at all.
 */
import type { Call } from '@wrapup/call';
import type { CompiledMapping, Value } from '@wrapup/mapping';

export interface Config {
  /** Absolute path of wrapup.yaml. */
  file: string;
  /** sha256 over wrapup.yaml and everything it refers to, first 12 hex digits. */
  hash: string;
  sources: Record<string, Source>;
  connections: Record<string, Connection>;
  /** In the order of the file. */
  routes: Route[];
  /** The connection that gets notices when a connection stops and resumes. Absent: no notices. */
  alerts?: { to: string };
  retention: { ledger_days: number; delivered_days: number; stopped_days: number };
}

export interface AgentSettings {
  name?: string;
  direction?: 'inbound' | 'outbound';
  number?: string;
}

export interface Source {
  name: string;
  provider: 'synthflow';
  region: 'global' | 'us' | 'eu';
  webhook_secrets: string[];
  path_token: string[];
  api_key?: string;
  workspace_id?: string;
  base_url?: string;
  trust: 'signature' | 'api' | 'none';
  revisions: 'additive' | 'apply' | 'park';
  /** Calls that are read from Synthflow's API because of webhooks, at most; `READS_PER_MINUTE` unless it is set. */
  reads_per_minute?: number;
  keep: { transcript: boolean; raw: boolean };
  /** ISO 3166 alpha-2. */
  default_country?: string;
  agents: Record<string, AgentSettings>;
  /** Absent: missed webhooks are not looked for. */
  reconcile?: Reconcile;
  /** Absent: inbound calls are answered neutrally. */
  inbound?: Inbound;
}

/** All in milliseconds. */
export interface Reconcile {
  every: number;
  /** How far back a run lists calls. */
  look_back: number;
  /** How long after its end a call may still be on its way. */
  grace: number;
}

/** What to answer before an inbound call connects. */
export interface Inbound {
  /** Name of the connection to look the caller up in. */
  look_up: string;
  /** Milliseconds. */
  within: number;
  /** `none` gives CRM data to anyone who asks. */
  guard: 'token' | 'none';
  /** By name of the agent's variable. */
  variables: Record<string, InboundVariable>;
  /** Further variables, given only for a caller who is known and for whom the condition holds. */
  personal?: { when: InboundCondition; variables: Record<string, InboundVariable> };
  /** The first that matches decides; none leaves the call with the agent that received it. */
  agents: InboundRule[];
  /** What variables and rules read of the person, for the look-up. */
  reads: { properties: string[]; related: Record<string, { properties: string[]; most: number }> };
}

/** A constant, or the segments of a path that can be read while the phone rings. */
export type InboundVariable = { value: string | number | boolean } | { path: (string | number)[] };

/** Properties of the one matching record and its `id`, and the records read along with it, by name. */
export type Caller = Record<string, Value | Record<string, Value>[]>;

/** Total: never throws. `caller` is empty where the CRM does not know the number. */
export type InboundCondition = (call: Call, caller: Caller) => boolean;

export interface InboundRule {
  when: InboundCondition;
  /** Reads the caller, so it cannot be decided while the caller is unknown. */
  asks_caller: boolean;
  agent?: string;
  decline: boolean;
}

export interface Connection {
  name: string;
  kind: string;
  /** Part of every quota that is left to the customer's other programs, from 0 to 0.9. Absent: none. */
  reserve?: number;
  /** As the adapter's own schema accepted it. */
  settings: unknown;
}

export interface Retries {
  /** Attempts in all, at least 1. */
  attempts: number;
  /** Milliseconds; full jitter between 0 and min(cap, base · 2^n). */
  base: number;
  cap: number;
}

export interface Route {
  name: string;
  /** Names of the sources whose calls it takes. Absent: there is one source. */
  from?: readonly string[];
  /** Name of the connection. */
  to: string;
  mapping: CompiledMapping;
  /** Total: never throws. */
  when(call: Call): boolean;
  /** Delivers in addition to an earlier route of the same connection. */
  also: boolean;
  retries: Retries;
}
