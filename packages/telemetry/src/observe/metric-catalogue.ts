/**
 * Every metric that a process exports beside the usual ones of Node.js: name, type, labels and what it says, in one place,
 * so that a label means the same everywhere and series can be joined by it. docs/reference/metrics.md is generated from it.
 * Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters.
 */

export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  /** The processes that export it. */
  of: readonly MetricProcess[];
  help: string;
  labels?: readonly MetricLabel[];
  /** Upper bounds of a histogram; default: `SECONDS`. */
  buckets?: readonly number[];
}

export type MetricProcess = 'ingress' | 'worker' | 'dashboard';

/** What labels hold. Each takes a bounded number of values: names from the configuration, or words of a closed set. */
export const METRIC_LABELS = {
  became: 'what a pause became: `opened`, `reopened` after a trial, `closed`',
  cause: 'why a connection is paused: `unauthorized`, `missing_scope`, `daily_limit`, `endpoint_closed`, `outage`',
  client: 'name of a client',
  code: 'code of a failure or an omission; empty where there was none',
  connection: 'full name of a connection; empty where something belongs to none',
  digest: 'full name of a digest',
  event: 'event of Synthflow: `post-call`, `inbound-call`',
  found: 'what a comparison found of a call: `known`, `missing`, `enqueued` and so on',
  priority: 'why it is written: `live`, `replay`, `reconcile`, `backfill`; `inbound` for a caller who is looked up',
  method: 'HTTP method',
  outcome: 'outcome of a call: `connected`, `voicemail` and so on; empty where it is not known yet',
  owner: 'who paused a connection: `circuit`, `operator`; empty while it is not paused',
  path: 'pattern of the path of a request, without names and tokens',
  process: '`ingress`, `worker` or `dashboard`',
  queue: 'name of a queue',
  result: 'what became of it',
  revision: 'commit that the image was built from; empty where it is not known',
  route: 'full name of a route',
  severity: '`error` or `warning`',
  source: 'full name of a source; empty where a request names none that is known',
  state: 'state of jobs: `waiting`, `active`, `delayed`, `prioritized`, `failed`, `completed`',
  version: 'version of Wrapup',
} as const;
export type MetricLabel = keyof typeof METRIC_LABELS;

/** Seconds, from a fast Redis round trip to a CRM that takes its time. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Seconds from a second batch of the same turn to a CRM that was away over a weekend. */
const LATENCY = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3_600, 21_600, 86_400];

const EVERY = ['ingress', 'worker', 'dashboard'] as const;

export const METRICS = {
  build_info: {
    type: 'gauge',
    of: EVERY,
    help: 'Always 1: which version runs in this process.',
    labels: ['process', 'version', 'revision'],
  },
  client_configuration_current: {
    type: 'gauge',
    of: ['ingress', 'worker'],
    help: 'Whether what the file of a client says is in force in this process: 0 where it has errors.',
    labels: ['client'],
  },
  ingress_requests_total: {
    type: 'counter',
    of: ['ingress'],
    help: 'Requests, by what became of them.',
    labels: ['path', 'source', 'result'],
  },
  ingress_request_seconds: {
    type: 'histogram',
    of: ['ingress'],
    help: 'Time from the request line to the answer.',
    labels: ['path'],
  },
  ingress_probes_total: {
    type: 'counter',
    of: ['ingress'],
    help: 'Requests without an event (GET, HEAD, empty POST): a check of the address.',
    labels: ['source', 'event', 'method'],
  },
  ingress_in_flight_bytes: {
    type: 'gauge',
    of: ['ingress'],
    help: 'Bytes of bodies that are being received or stored.',
  },
  ingress_unproved_bytes: {
    type: 'gauge',
    of: ['ingress'],
    help: 'Of these, bytes whose sender is not proved yet.',
  },
  ingress_connections: { type: 'gauge', of: ['ingress'], help: 'TCP connections that are open.' },
  ingress_connections_closed_total: {
    type: 'counter',
    of: ['ingress'],
    help: 'TCP connections that were closed because there were INGRESS_MAX_CONNECTIONS.',
  },
  ingress_redis_memory_ratio: {
    type: 'gauge',
    of: ['ingress'],
    help: 'Part of the maxmemory of Redis in use when last looked; above 0.9 no call is taken.',
  },
  ingress_callers_total: {
    type: 'counter',
    of: ['ingress'],
    help: 'Callers of inbound calls, by how they were looked up.',
    labels: ['result'],
  },
  ingress_caller_seconds: { type: 'histogram', of: ['ingress'], help: 'Time to ask the CRM for a caller.' },
  redis_write_seconds: {
    type: 'histogram',
    of: ['ingress'],
    help: 'Time until Redis has confirmed calls; with appendfsync always that is when they are on its disk.',
  },
  crm_requests_total: {
    type: 'counter',
    of: ['ingress', 'worker'],
    help: 'Requests to the CRM or endpoint of a connection, by `ok` or the code of the failure.',
    labels: ['connection', 'result'],
  },
  crm_request_seconds: {
    type: 'histogram',
    of: ['ingress', 'worker'],
    help: 'Time to the whole answer of such a request, or to the end of waiting for it.',
    labels: ['connection'],
  },
  quota_wait_seconds: {
    type: 'histogram',
    of: ['ingress', 'worker'],
    help: 'Time that a request waited for its share of the quota before it was sent.',
    labels: ['connection', 'priority'],
  },
  calls_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Calls read, by what became of them.',
    labels: ['source', 'outcome', 'result'],
  },
  deliveries_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Attempts at deliveries, by what became of them.',
    labels: ['connection', 'route', 'result', 'code'],
  },
  delivery_latency_seconds: {
    type: 'histogram',
    of: ['worker'],
    help: 'Time from the webhook, or from the order of a replay, until the records are written.',
    labels: ['connection', 'priority'],
    buckets: LATENCY,
  },
  batch_size: {
    type: 'histogram',
    of: ['worker'],
    help: 'Deliveries written together.',
    labels: ['connection'],
    buckets: [1, 2, 5, 10, 20, 50, 100, 200],
  },
  omissions_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Fields left out of what was written.',
    labels: ['connection', 'code'],
  },
  circuit_changes_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Pauses of connections by the circuit, and their ends.',
    labels: ['connection', 'became', 'cause'],
  },
  circuit_probes_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Probes of paused connections, by answer.',
    labels: ['connection', 'result'],
  },
  alerts_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Attempts to alert operators: `sent` or `failed`.',
    labels: ['result'],
  },
  digests_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Attempts to send a digest: `sent` or `failed`.',
    labels: ['digest', 'result'],
  },
  source_api_requests_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Questions to the API of a source, by `ok` or the code of the failure.',
    labels: ['source', 'result'],
  },
  reconcile_runs_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Reconciliations, by how they ended.',
    labels: ['source', 'result'],
  },
  reconcile_calls_total: {
    type: 'counter',
    of: ['worker'],
    help: 'Calls that reconciliation looked at.',
    labels: ['source', 'found'],
  },
  mapping_findings: {
    type: 'gauge',
    of: ['worker'],
    help: 'What the last comparison of mappings and account found. More than 0 errors: calls fail on it, or soon will.',
    labels: ['connection', 'severity'],
  },
  mapping_compared_timestamp_seconds: {
    type: 'gauge',
    of: ['worker'],
    help: 'When mappings and account were last compared; absent while the account could not be asked.',
    labels: ['connection'],
  },
  redis_up: { type: 'gauge', of: ['dashboard'], help: 'Whether Redis answers.' },
  redis_memory_used_bytes: { type: 'gauge', of: ['dashboard'], help: 'Memory that Redis uses.' },
  redis_memory_max_bytes: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'The maxmemory of Redis; absent where it has none.',
  },
  redis_durable: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'Whether Redis keeps an append-only file and could write it: 0 where a crash of it loses calls.',
  },
  queue_jobs: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'Jobs of queues that are worked on: calls, deliveries, upkeep.',
    labels: ['queue', 'connection', 'state'],
  },
  queue_oldest_waiting_seconds: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'How long the job that is next has been ready: since it came, or was last tried. `waiting` are live ones, `prioritized` the others; 0 where none is.',
    labels: ['queue', 'connection', 'state'],
  },
  reconcile_interval_seconds: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'The `reconcile.every` of a source; absent where it is reconciled by hand only.',
    labels: ['source'],
  },
  reconcile_last_complete_timestamp_seconds: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'When a reconciliation last looked at every agent of such a source; until one has, when the first began.',
    labels: ['source'],
  },
  parked: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'Deliveries and calls that wait for a person, by why; 0 with an empty code for each connection, and absent where Redis could not be asked.',
    labels: ['source', 'connection', 'code'],
  },
  dead: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'Deliveries and calls that the system gave up, by why; 0 as with `wrapup_parked`.',
    labels: ['source', 'connection', 'code'],
  },
  connection_paused: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'Whether a connection stands still, by who stopped it and why; 0 for neither.',
    labels: ['connection', 'owner', 'cause'],
  },
  quota_daily_limit: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'Requests a day that the account of a connection allows.',
    labels: ['connection'],
  },
  quota_daily_remaining: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'Requests of the day that are left, for all programs of the account.',
    labels: ['connection'],
  },
  quota_daily_used_up_timestamp_seconds: {
    type: 'gauge',
    of: ['dashboard'],
    help: 'When they are used up at the rate of the last hour; absent when that is more than a day away.',
    labels: ['connection'],
  },
} as const satisfies Record<string, MetricDefinition>;

type Definitions = typeof METRICS;
export type MetricName = keyof Definitions;
/** Names of the metrics of one type. */
export type NamesOfType<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: Definitions[Name]['type'] extends Type ? Name : never;
}[MetricName];
export type LabelsOf<Name extends MetricName> = Definitions[Name] extends {
  labels: readonly (infer Label extends string)[];
}
  ? Label
  : never;
