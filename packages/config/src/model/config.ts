/**
 * The configuration as the processes use it: checked, defaults filled in, secrets resolved, mappings compiled.
 * Immutable; a reload makes a new one, whole or not at all.
 */
import { type Call, clientOf, type EncryptionKey, own } from '@wrapup/call';
import type { Finding } from '@wrapup/findings';
import type { CompiledMapping, OfficeHours, Value } from '@wrapup/mapping';

export interface Config {
  /** Absolute path of wrapup.yaml. */
  file: string;
  /** sha256 over wrapup.yaml and everything it refers to, first 12 hex digits. */
  hash: string;
  /** By full name: `main` in wrapup.yaml, `acme.main` in the file of client `acme`. So are connections and routes. */
  sources: Record<string, Source>;
  connections: Record<string, Connection>;
  /** In the order of the files. */
  routes: Route[];
  /** The connection that gets every notice of the installation. Absent: only clients that name their own get any. */
  alerts?: Alerts;
  /** In the order of the files. */
  digests: DigestSettings[];
  /** Of calls that belong to no client. */
  retention: Retention;
  clients: Record<string, Client>;
}

export interface Alerts {
  /** Full name of a connection. */
  to: string;
  /** Per cent of a connection's deliveries of the last hour that may lose a field before a notice goes out. */
  lost_fields: number;
}

/** A summary of a day or a week of calls that is sent over a connection. */
export interface DigestSettings {
  /** Full name. */
  name: string;
  /** Full name of the connection. */
  to: string;
  every: 'day' | 'week';
  /** Minutes after midnight. */
  at: number;
  /** IANA name. */
  time_zone: string;
  /** Whose calls it is about: the client in whose file it stands, or that one of wrapup.yaml names. Absent: all. */
  client?: string;
  mapping: CompiledMapping;
}

export interface Retention {
  ledger_days: number;
  delivered_days: number;
  stopped_days: number;
}

/** A client of the installation, from a file of its own that names nothing outside of itself. */
export interface Client {
  name: string;
  /** Absolute path. */
  file: string;
  /**
   * `current`: what its file says is in force. `last_good`: its file has errors, and what it said before is in force.
   * `unusable`: its file has errors and was never without; nothing of the client is known, not even its sources.
   */
  state: 'current' | 'last_good' | 'unusable';
  /** Of what is in force, first 12 hex digits of a sha256; empty where nothing is. */
  hash: string;
  /** Errors of its file; empty in state `current`. */
  errors: readonly Finding[];
  /** The connection that gets the notices about this client. */
  alerts?: Alerts;
  /** Of the dashboard's login that is bound to the client and has its name. Absent: it has none. */
  password?: string;
  /** It has such a login, also where the process that reads has no use for its password. */
  has_login?: true;
  /** What encrypts what is kept of the client, the first one from now on. Absent: the keys of the installation. */
  encryption_keys?: readonly EncryptionKey[];
  retention: Retention;
}

/** Whether any client has a login of its own. */
export function hasClientLogins({ clients }: Pick<Config, 'clients'>): boolean {
  return Object.values(clients).some(({ has_login }) => has_login);
}

/** The keys of a client's own in force, for what is kept of it. @param client may be gone */
export function keysOfClient({ clients }: Pick<Config, 'clients'>, client: string): Client['encryption_keys'] {
  return own(clients, client)?.encryption_keys;
}

/** What a name belongs to a client by, for lists of full names. */
function isOf(client: string): (named: { name: string }) => boolean {
  return ({ name }) => clientOf(name) === client;
}

/** The configuration as far as it is of one client: nothing of it names what belongs to another. @param client may be gone */
export function narrowConfig(config: Config, client: string): Config {
  const known = own(config.clients, client);
  const { alerts: _, ...rest } = config;
  const only = <Named extends { name: string }>(all: Record<string, Named>): Record<string, Named> =>
    Object.fromEntries(
      Object.values(all)
        .filter(isOf(client))
        .map((one) => [one.name, one]),
    );
  return {
    ...rest,
    sources: only(config.sources),
    connections: only(config.connections),
    routes: config.routes.filter(isOf(client)),
    digests: config.digests.filter(isOf(client)),
    ...(known?.alerts && { alerts: known.alerts }),
    retention: known?.retention ?? config.retention,
    clients: known ? { [client]: known } : {},
  };
}

/** How long calls of a source are kept: what its client says, else the installation. @param source full name */
export function retentionOf({ clients, retention }: Pick<Config, 'clients' | 'retention'>, source: string): Retention {
  const client = clientOf(source);
  return (client === undefined ? undefined : own(clients, client)?.retention) ?? retention;
}

/** Connections that get a notice about a source or connection: its client's, and the installation's for everything. */
export function alertTargets({ clients, alerts }: Pick<Config, 'clients' | 'alerts'>, subject: string): string[] {
  const client = clientOf(subject);
  const theirs = client === undefined ? undefined : own(clients, client)?.alerts;
  return [...new Set([theirs, alerts].flatMap((one) => (one ? [one.to] : [])))];
}

/** The share of lost fields above which notices about a connection go out: its client's word, else the installation's. */
export function lostFieldsLimit({ clients, alerts }: Pick<Config, 'clients' | 'alerts'>, connection: string): number {
  const client = clientOf(connection);
  const theirs = client === undefined ? undefined : own(clients, client)?.alerts;
  return (theirs ?? alerts)?.lost_fields ?? 100;
}

export interface AgentSettings {
  name?: string;
  direction?: 'inbound' | 'outbound';
  number?: string;
}

export interface Source {
  /** Full name. */
  name: string;
  /**
   * The name that the source had before it moved into a client's file: the first part of its keys in CRMs, and an address
   * that it still answers at. Absent: its full name.
   */
  key_prefix?: string;
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
  /** What is in force; absent: missed webhooks are not looked for, as there is no `api_key`, or by `reconcile: false`. */
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
  /** Full name of the connection to look the caller up in. */
  look_up: string;
  /** Milliseconds. */
  within: number;
  /** `none` gives CRM data to anyone who asks. */
  guard: 'token' | 'none';
  /** By name of the agent's variable. */
  variables: Record<string, InboundVariable>;
  /** Further variables, given only for a caller who is known and for whom the condition holds. */
  personal?: { when: InboundCondition; variables: Record<string, InboundVariable> };
  /** Own keys of the answer's metadata, which returns with the finished call. */
  metadata: Record<string, InboundVariable>;
  /** What `hours` of rules go by. */
  office_hours?: OfficeHours;
  /** The first that matches decides; none leaves the call with the agent that received it. */
  agents: InboundRule[];
  /** What variables and rules read of the person, for the look-up. */
  reads: {
    properties: string[];
    related: Record<string, { properties: string[]; most: number }>;
    /** Of the open record that each name stands for. */
    open?: Record<string, string[]>;
  };
}

/** A constant, or the segments of a path that can be read while the phone rings. */
export type InboundVariable = { value: string | number | boolean } | { path: (string | number)[] };

/** Properties of the one matching record and its `id`, and the records read along with it, by name: lists, and open ones (null: none). */
export type Caller = Record<string, Value | Record<string, Value>[] | Record<string, Value>>;

/** Total: never throws. `caller` is empty where the CRM does not know the number. */
export type InboundCondition = (call: Call, caller: Caller) => boolean;

export interface InboundRule {
  when: InboundCondition;
  /** Reads the caller, so it cannot be decided while the caller is unknown. */
  asks_caller: boolean;
  /** Holds only while the office is open, or while it is closed. */
  hours?: 'open' | 'closed';
  agent?: string;
  decline: boolean;
}

export interface Connection {
  /** Full name. */
  name: string;
  kind: string;
  /** Part of every quota that is left to the customer's other programs, from 0 to 0.9. Absent: none. */
  reserve?: number;
  /** Milliseconds for which live deliveries wait for others, to be written together. Absent: as long as they say by themselves. */
  gather?: number;
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
  /** Full name. */
  name: string;
  /** Full names of the sources whose calls it takes. */
  from: readonly string[];
  /** Full name of the connection. */
  to: string;
  mapping: CompiledMapping;
  /** Total: never throws. */
  when(call: Call): boolean;
  /** Delivers in addition to an earlier route of the same connection. */
  also: boolean;
  retries: Retries;
}
