/**
 * The configuration as the processes use it: checked, defaults filled in, secrets resolved, mappings compiled.
 * Immutable; a reload makes a new one, whole or not at all.
 */
import type { Call } from '@wrapup/call';
import type { CompiledMapping } from '@wrapup/mapping';

export interface Config {
  /** Absolute path of wrapup.yaml. */
  file: string;
  /** sha256 over wrapup.yaml and everything it refers to, first 12 hex digits. */
  hash: string;
  sources: Record<string, Source>;
  connections: Record<string, Connection>;
  /** In the order of the file. */
  routes: Route[];
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
  keep: { transcript: boolean; raw: boolean };
  /** ISO 3166 alpha-2. */
  default_country?: string;
  agents: Record<string, AgentSettings>;
}

export interface Connection {
  name: string;
  kind: string;
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
  /** Name of the connection. */
  to: string;
  mapping: CompiledMapping;
  /** Total: never throws. */
  when(call: Call): boolean;
  /** Delivers in addition to an earlier route of the same connection. */
  also: boolean;
  retries: Retries;
}
