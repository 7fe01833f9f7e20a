import type { OmissionCode } from '@wrapup/destination';
import type { CircuitChange } from '@wrapup/queue';
import type { ReconcileRun } from '@wrapup/recovery';
import type { Metrics } from '@wrapup/telemetry';

/** The worker's own numbers. Labels are names from the configuration, never ids. */
export function countWork(metrics: Metrics) {
  const calls = metrics.counter('calls_total', 'Calls read, by what became of them.', ['result']);
  const deliveries = metrics.counter('deliveries_total', 'Attempts at deliveries, by what became of them.', [
    'connection',
    'route',
    'result',
  ]);
  const batches = metrics.histogram(
    'batch_size',
    'Deliveries written together.',
    ['connection'],
    [1, 2, 5, 10, 20, 50, 100, 200],
  );
  const answers = metrics.counter(
    'source_api_requests_total',
    'Questions to the API of a source, by what came of them.',
    ['source', 'result'],
  );
  const up = metrics.gauge(
    'source_api_up',
    'Whether the API of a source answered the last question: 0 wants a look, and the counter says why.',
    ['source'],
  );
  const runs = metrics.counter('reconcile_runs_total', 'Reconciliations, by how they ended.', ['source', 'result']);
  const found = metrics.counter('reconcile_calls_total', 'Calls that reconciliation looked at, by what they were.', [
    'source',
    'found',
  ]);
  const succeeded = metrics.gauge(
    'reconcile_last_complete_timestamp_seconds',
    'When a reconciliation last looked at every agent.',
    ['source'],
  );
  const changes = metrics.counter('circuit_changes_total', 'Pauses of connections by the circuit, and their ends.', [
    'connection',
    'became',
    'cause',
  ]);
  const probes = metrics.counter('circuit_probes_total', 'Probes of paused connections, by answer.', [
    'connection',
    'result',
  ]);
  const omissions = metrics.counter('omissions_total', 'Fields left out of what was written, by why.', [
    'connection',
    'reason',
  ]);
  const alerts = metrics.counter('alerts_total', 'Attempts to alert operators, by what became of them.', ['result']);
  return {
    reconciled: ({ source, result, counts, ended }: ReconcileRun) => {
      runs.inc({ source, result });
      for (const [name, number] of Object.entries(counts)) found.inc({ source, found: name }, number);
      if (result === 'complete') succeeded.set({ source }, ended / 1000);
    },
    /** @param code of the failure; undefined when it answered */
    api: (source: string, code: string | undefined) => {
      answers.inc({ source, result: code ?? 'ok' });
      up.set({ source }, code === undefined || code === 'throttled' ? 1 : 0);
    },
    call: (result: string) => calls.inc({ result }),
    delivery: (connection: string, route: string, result: string) => deliveries.inc({ connection, route, result }),
    omission: (connection: string, reason: OmissionCode) => omissions.inc({ connection, reason }),
    batch: (connection: string, size: number) => batches.observe({ connection }, size),
    alert: (result: 'sent' | 'failed') => alerts.inc({ result }),
    circuit: {
      change: (connection: string, became: CircuitChange['became'], cause: string) =>
        changes.inc({ connection, became, cause }),
      probe: (connection: string, result: string) => probes.inc({ connection, result }),
    },
  };
}

/** Counts what a worker does, by what became of it. */
export type WorkCounts = ReturnType<typeof countWork>;
