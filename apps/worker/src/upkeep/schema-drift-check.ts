/**
 * Compares the mappings with the accounts they write to, at start, when the configuration changes, and every hour: what an
 * administrator renamed, removed or made read-only is reported before calls fail on it. One job for the installation, taken by
 * any worker; its results are in Redis, where the dashboard and every worker's metrics read it.
 */
import type { Config } from '@wrapup/config';
import { Failure, type Log, withDeadline } from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import type { CompiledMapping } from '@wrapup/mapping';
import {
  readSchemaChecks,
  SCHEMA_CHECK_QUEUE,
  type SchemaCheckResult,
  type Store,
  saveSchemaCheck,
} from '@wrapup/queue';
import type { Metrics } from '@wrapup/telemetry';
import type { InstallationWorkers } from '../bullmq/installation-workers.ts';

interface SchemaDriftCheckParts {
  store: Store;
  config: () => Config;
  log: Log;
  metrics: Metrics;
  workers: InstallationWorkers;
  /** Compares mappings with one account. Rejects when it cannot be asked. */
  check(connection: string, mappings: CompiledMapping[]): Promise<Finding[]>;
}

const EVERY_MS = 3_600_000;
/** Calls that wait after a restart come first. */
const FIRST_AFTER_MS = 10_000;
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true };

export class SchemaDriftCheck {
  readonly #parts: SchemaDriftCheckParts;
  readonly #after: number;
  readonly #stopping = new AbortController();

  /** @param after milliseconds from the start, or from a change of the configuration, to the first comparison */
  constructor(parts: SchemaDriftCheckParts, after = FIRST_AFTER_MS) {
    this.#parts = parts;
    this.#after = after;
    parts.workers.start(SCHEMA_CHECK_QUEUE, 1, () => this.#checkAll(), false);
    addGauges(parts);
  }

  /** Asks for a comparison now, and for one every hour. Several processes that start together ask for one. */
  async schedule(): Promise<void> {
    const queue = this.#parts.store.queues.get(SCHEMA_CHECK_QUEUE);
    const first = { every: EVERY_MS, startDate: Date.now() + EVERY_MS };
    await queue.upsertJobScheduler('hourly', first, { name: 'examine', opts: JOB_OPTIONS });
    await queue.add('examine', {}, { ...JOB_OPTIONS, delay: this.#after, jobId: `now-${this.#parts.config().hash}` });
  }

  /** Gives a comparison in hand up: the next start makes another. */
  stop(): void {
    this.#stopping.abort();
  }

  async #checkAll(): Promise<void> {
    const { store, config } = this.#parts;
    const { connections, routes } = config();
    for (const connection of Object.keys(connections)) {
      const mappings = routes.filter(({ to }) => to === connection).map(({ mapping }) => mapping);
      const [before] = await readSchemaChecks(store, [connection]);
      const now = await this.#checkConnection(connection, [...new Set(mappings)], before);
      if (this.#stopping.signal.aborted) return;
      await saveSchemaCheck(store, now);
      report(this.#parts.log, now, before);
    }
  }

  async #checkConnection(
    connection: string,
    mappings: CompiledMapping[],
    before: SchemaCheckResult | undefined,
  ): Promise<SchemaCheckResult> {
    const at = Date.now();
    const late = () => new Failure('timeout', 'The comparison did not finish before the next one was due.');
    try {
      const checking = this.#parts.check(connection, mappings);
      return { connection, at, findings: await withDeadline(checking, EVERY_MS, late, this.#stopping.signal) };
    } catch (error) {
      const { code, message, hint } = Failure.of(error);
      return { connection, at, findings: before?.findings ?? [], failed: { code, message, ...(hint ? { hint } : {}) } };
    }
  }
}

const keyOf = ({ code, message, at }: Finding) => `${code} ${message} ${at?.file}:${at?.line}`;

/** Everything that is found, in words, once; afterwards how much of it is still there. */
function report(
  log: Log,
  { connection, findings, failed }: SchemaCheckResult,
  before: SchemaCheckResult | undefined,
): void {
  if (failed) {
    log.warn({ connection, ...failed }, 'the mappings could not be compared with the account');
    return;
  }
  const known = new Set(before?.findings.map(keyOf));
  for (const finding of findings.filter((one) => !known.has(keyOf(one)))) {
    const { severity, code, message, hint, at } = finding;
    const place = at ? { mapping: `${at.file}:${at.line}` } : {};
    log.warn({ connection, severity, code, ...place, hint }, `the account does not fit the mapping: ${message}`);
  }
  const still = findings.filter((one) => known.has(keyOf(one))).length;
  if (still > 0)
    log.warn({ connection, findings: still }, 'the account still does not fit the mappings; wrapup doctor says how');
  const gone = (before?.findings.length ?? 0) - still;
  if (gone > 0 && before) log.info({ connection, resolved: gone }, 'the account fits the mappings better than before');
}

/** For what a scrape asks of Redis; Prometheus itself gives up after ten seconds. */
const SCRAPE_WITHIN_MS = 1_000;
const SEVERITIES = ['error', 'warning'] as const;

function addGauges({ metrics, store, config }: SchemaDriftCheckParts): void {
  // A worker waits for Redis; who scrapes it does not.
  const late = () => new Error('Redis does not answer');
  const read = () =>
    withDeadline(readSchemaChecks(store, Object.keys(config().connections)), SCRAPE_WITHIN_MS, late).catch(() => []);
  metrics.gauge('mapping_findings', async (gauge) => {
    gauge.reset();
    for (const { connection, findings } of await read())
      for (const severity of SEVERITIES)
        gauge.set({ connection, severity }, findings.filter((finding) => finding.severity === severity).length);
  });
  metrics.gauge('mapping_compared_timestamp_seconds', async (gauge) => {
    gauge.reset();
    for (const { connection, at, failed } of await read()) if (!failed) gauge.set({ connection }, at / 1000);
  });
}
