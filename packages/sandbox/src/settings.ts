/**
 * What can be changed about the sandbox while it runs. Everything here has an effect that a client can see; defaults
 * are those of a Professional account.
 */

/**
 * Years of which answers were recorded, and whose forms the answers have; the newest by default. Where nothing was recorded
 * of a year, the form of the year before is used, or else the one that is documented.
 */
export const FORMS = [2022, 2025, 2026] as const;
export type Forms = (typeof FORMS)[number];

export interface Limits {
  /** Requests per token in any 10 s. Null: no limit and no headers. */
  ten_secondly: number | null;
  /** Requests per account in a day. */
  daily: number | null;
  /** Searches per account in any second. */
  search_per_second: number | null;
}

export interface RequiredWhen {
  property: string;
  equals: string;
  requires: string[];
}

/** The OAuth app whose tokens the account knows, besides tokens that begin with `pat-`. */
export interface OAuthSettings {
  client_id: string;
  client_secret: string;
  refresh_token: string;
  /** Seconds that an access token lives. */
  expires_in: number;
  /** Every exchange gives a new refresh token and ends the old one. */
  rotate: boolean;
}

export interface HubSpotSandboxSettings {
  /** Milliseconds that every answer takes. */
  latency: number;
  /** Milliseconds until search sees a write. */
  search_lag: number;
  /**
   * Milliseconds between an upsert looking its rows up and writing them. Two upserts that overlap in it race as they do
   * at the vendor: both find nothing, the later one meets the unique value of the earlier.
   */
  race_window: number;
  limits: Limits;
  /** Scopes that the token lost: what needs one of them answers 403. */
  revoked_scopes: string[];
  /** Tokens that answer 401 although they look right. */
  revoked_tokens: string[];
  forms: Forms;
  /** Properties that an administrator made required on creation, by object; enforced on date-based paths only. */
  required: Record<string, string[]>;
  /** Properties that an administrator made required when another has a value; enforced like `required`, on updates too. */
  required_when: Record<string, RequiredWhen[]>;
  /** Objects of which upserts are refused although their property is unique: whether HubSpot takes them of all is not written anywhere. */
  no_upsert: string[];
  /** Results of a batch come in no promised order, and were recorded in neither that of the inputs nor its reverse. */
  result_order: 'mixed' | 'input';
  /** Whether an archived record still holds its unique values. Not documented, so both can be tried. */
  archived_holds_unique_values: boolean;
  oauth: OAuthSettings;
}

export interface SalesforceLimits {
  /** Requests of the whole org in a day. Null: no limit and no header. */
  daily: number | null;
  /** How many of them others have used. */
  used: number;
}

/** The app by which tokens are had, and what each way of asking must bring. */
export interface SalesforceOAuth {
  client_id: string;
  client_secret: string;
  refresh_token: string;
  /** Whom an assertion must name. */
  username: string;
  /** PEM by which signatures of assertions are checked; null takes any signature. */
  certificate: string | null;
  /** Seconds that an access token lives. The vendor never tells them. */
  expires_in: number;
  /** Every exchange of a refresh token gives a new one and ends the old one. */
  rotate: boolean;
}

/** What a duplicate rule does: nothing, warn (which fails too, unless the request says otherwise), refuse. */
export const DUPLICATE_RULES = ['off', 'alert', 'block'] as const;

export interface SalesforceSandboxSettings {
  /** Milliseconds that every answer takes. */
  latency: number;
  forms: Forms;
  /** Milliseconds until SOSL sees a write. SOQL sees it at once. */
  search_lag: number;
  /** Milliseconds between an upsert looking its rows up and writing them, and that a write holds its locks. */
  race_window: number;
  limits: SalesforceLimits;
  /** The first and the last version of the API that answer; earlier ones are gone. */
  oldest_version: number;
  newest_version: number;
  person_accounts: boolean;
  /** `Task.CallType`, `Activity.Wrapup_Call_Id__c`: fields that the user does not see. */
  hidden_fields: string[];
  /** Fields that the user sees and may not write. */
  read_only_fields: string[];
  duplicate_rules: (typeof DUPLICATE_RULES)[number];
  /** A write that needs rows which another one holds: `wait` as at the vendor, for ten seconds at most, or `fail` at once. */
  locks: 'wait' | 'fail';
  /** Rows of an object that the org's own automation can take at once; more of them fail. By object. */
  automation_rows: Record<string, number>;
  /** What a reference to a row that failed does to the part which names it: not documented, so both can be tried. */
  failed_references: 'halt' | 'null';
  /** To whom assignment rules give records unless the request forbids it: user or queue id by object. */
  assignment: Record<string, string>;
  /** Fields without which a validation rule refuses a record, by object. */
  validation: Record<string, string[]>;
  oauth: SalesforceOAuth;
}

export interface SynthflowSettings {
  /** Milliseconds that every answer of the API takes. */
  latency: number;
  /** Where the workspace lives: its key is unknown to the hosts of the other regions. */
  region: 'global' | 'us' | 'eu';
  /** The only key that is taken; null takes any. */
  api_key: string | null;
  workspace_id: string;
  /** Milliseconds after its end until the API knows a call. */
  record_delay: number;
  /** How the header with the signature is spelt. Not documented for certain, so every spelling can be tried. */
  signature_header: string;
}

export interface Settings {
  hubspot: HubSpotSandboxSettings;
  salesforce: SalesforceSandboxSettings;
  synthflow: SynthflowSettings;
}

/** Settings as given: only what differs, at any depth. */
export type Partially<T> = {
  [K in keyof T]?: T[K] extends unknown[] ? T[K] : T[K] extends object ? Partially<T[K]> : T[K];
};

export const DEFAULT_SETTINGS: Settings = {
  hubspot: {
    latency: 0,
    search_lag: 2_000,
    race_window: 5,
    limits: { ten_secondly: 190, daily: 625_000, search_per_second: 5 },
    revoked_scopes: [],
    revoked_tokens: [],
    forms: 2026,
    required: {},
    required_when: {},
    no_upsert: [],
    result_order: 'mixed',
    archived_holds_unique_values: false,
    oauth: {
      client_id: 'sandbox-client',
      client_secret: 'sandbox-secret',
      refresh_token: 'sandbox-refresh',
      expires_in: 1_800,
      rotate: false,
    },
  },
  salesforce: {
    latency: 0,
    forms: 2026,
    search_lag: 2_000,
    race_window: 5,
    limits: { daily: 100_000, used: 0 },
    oldest_version: 31,
    newest_version: 68,
    person_accounts: false,
    hidden_fields: [],
    read_only_fields: [],
    duplicate_rules: 'alert',
    locks: 'wait',
    automation_rows: {},
    failed_references: 'halt',
    assignment: {},
    validation: {},
    oauth: {
      client_id: 'sandbox-consumer-key',
      client_secret: 'sandbox-consumer-secret',
      refresh_token: 'sandbox-refresh',
      username: 'wrapup.integration@sandbox.example',
      certificate: null,
      expires_in: 7_200,
      rotate: false,
    },
  },
  synthflow: {
    latency: 0,
    region: 'global',
    api_key: null,
    workspace_id: 'sandbox-workspace',
    record_delay: 0,
    signature_header: 'Synthflow-Signature',
  },
};

/** A setting that does not exist or cannot have that value. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** Whole numbers of milliseconds, up to ten minutes. */
const duration = (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 600_000
    ? undefined
    : 'a whole number of milliseconds, 0 to 600000';
const limit = (value: unknown) =>
  value === null || (Number.isInteger(value) && (value as number) >= 0)
    ? undefined
    : 'a whole number, or null for none';
const strings = (value: unknown) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string') ? undefined : 'a list of strings';
const oneOf =
  (...allowed: readonly unknown[]) =>
  (value: unknown) =>
    allowed.includes(value) ? undefined : `one of ${allowed.join(', ')}`;

const count = (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 0 ? undefined : 'a whole number from 0';
const byName = (test: (value: unknown) => boolean, what: string) => (value: unknown) =>
  isPlain(value) && Object.values(value).every(test) ? undefined : what;
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? undefined : 'a text');

type Check = (value: unknown) => string | undefined;

/** Each setting by its dotted path, and what it may be. */
const CHECKS: Record<string, Check> = {
  'hubspot.latency': duration,
  'hubspot.search_lag': duration,
  'hubspot.race_window': duration,
  'hubspot.limits.ten_secondly': limit,
  'hubspot.limits.daily': limit,
  'hubspot.limits.search_per_second': limit,
  'hubspot.revoked_scopes': strings,
  'hubspot.revoked_tokens': strings,
  'hubspot.forms': oneOf(...FORMS),
  'hubspot.required': byName((list) => strings(list) === undefined, 'lists of property names by object'),
  'hubspot.required_when': (value) =>
    isPlain(value) && Object.values(value).every((list) => Array.isArray(list) && list.every(isRequiredWhen))
      ? undefined
      : 'lists of { property, equals, requires } by object',
  'hubspot.no_upsert': strings,
  'hubspot.result_order': oneOf('mixed', 'input'),
  'hubspot.archived_holds_unique_values': oneOf(true, false),
  'hubspot.oauth.client_id': text,
  'hubspot.oauth.client_secret': text,
  'hubspot.oauth.refresh_token': text,
  'hubspot.oauth.expires_in': (value) =>
    Number.isInteger(value) && (value as number) >= 0 ? undefined : 'a whole number of seconds',
  'hubspot.oauth.rotate': oneOf(true, false),
  'salesforce.latency': duration,
  'salesforce.forms': oneOf(...FORMS),
  'salesforce.search_lag': duration,
  'salesforce.race_window': duration,
  'salesforce.limits.daily': limit,
  'salesforce.limits.used': count,
  'salesforce.oldest_version': count,
  'salesforce.newest_version': count,
  'salesforce.person_accounts': oneOf(true, false),
  'salesforce.hidden_fields': strings,
  'salesforce.read_only_fields': strings,
  'salesforce.duplicate_rules': oneOf(...DUPLICATE_RULES),
  'salesforce.locks': oneOf('wait', 'fail'),
  'salesforce.failed_references': oneOf('halt', 'null'),
  'salesforce.automation_rows': byName((value) => count(value) === undefined, 'whole numbers by object'),
  'salesforce.assignment': byName((value) => typeof value === 'string', 'ids of users or queues by object'),
  'salesforce.validation': byName((value) => strings(value) === undefined, 'lists of fields by object'),
  'salesforce.oauth.client_id': text,
  'salesforce.oauth.client_secret': text,
  'salesforce.oauth.refresh_token': text,
  'salesforce.oauth.username': text,
  'salesforce.oauth.certificate': (value) => (value === null ? undefined : text(value)),
  'salesforce.oauth.expires_in': count,
  'salesforce.oauth.rotate': oneOf(true, false),
  'synthflow.latency': duration,
  'synthflow.region': oneOf('global', 'us', 'eu'),
  'synthflow.api_key': (value) => (value === null ? undefined : text(value)),
  'synthflow.workspace_id': text,
  'synthflow.record_delay': duration,
  'synthflow.signature_header': (value) =>
    typeof value === 'string' && /^[\w-]+$/.test(value) ? undefined : 'the name of a header',
};

/** Settings with some of them changed. @throws SettingsError naming the setting and what it may be */
export function changeSettings(current: Settings, change: unknown): Settings {
  const next = structuredClone(current);
  merge(next as unknown as Record<string, unknown>, change, '');
  return next;
}

function merge(into: Record<string, unknown>, change: unknown, path: string): void {
  if (!isPlain(change)) throw new SettingsError(`${path || 'settings'} must be an object`);
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) continue;
    const here = path ? `${path}.${key}` : key;
    const check = Object.hasOwn(CHECKS, here) ? CHECKS[here] : undefined;
    if (check) {
      const expected = check(value);
      if (expected) throw new SettingsError(`${here} must be ${expected}`);
      into[key] = structuredClone(value);
    } else if (Object.keys(CHECKS).some((known) => known.startsWith(`${here}.`))) {
      merge(into[key] as Record<string, unknown>, value, here);
    } else {
      throw new SettingsError(`there is no setting ${here}; there are ${Object.keys(CHECKS).join(', ')}`);
    }
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRequiredWhen(value: unknown): boolean {
  if (!isPlain(value)) return false;
  return typeof value.property === 'string' && typeof value.equals === 'string' && !strings(value.requires);
}
