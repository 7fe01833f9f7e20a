import type { FailureCode, OmissionCode, Priority } from '@wrapup/destination';
import type { CircuitChange } from '@wrapup/queue';
import type { ReconcileRun } from '@wrapup/recovery';
import { countRequests, type Metrics } from '@wrapup/telemetry';

/** The worker's own numbers. */
export function countWork(metrics: Metrics) {
  const calls = metrics.counter('calls_total');
  const deliveries = metrics.counter('deliveries_total');
  const latency = metrics.histogram('delivery_latency_seconds');
  const batches = metrics.histogram('batch_size');
  const answers = metrics.counter('source_api_requests_total');
  const runs = metrics.counter('reconcile_runs_total');
  const found = metrics.counter('reconcile_calls_total');
  const changes = metrics.counter('circuit_changes_total');
  const probes = metrics.counter('circuit_probes_total');
  const omissions = metrics.counter('omissions_total');
  const alerts = metrics.counter('alerts_total');
  const digests = metrics.counter('digests_total');
  return {
    reconciled: ({ source, result, counts }: ReconcileRun) => {
      runs.inc({ source, result });
      for (const [name, number] of Object.entries(counts)) found.inc({ source, found: name }, number);
    },
    /** @param code of the failure; undefined when it answered */
    api: (source: string, code: string | undefined) => answers.inc({ source, result: code ?? 'ok' }),
    /** @param outcome of the call, where it is known */
    call: (source: string, result: string, outcome = '') => calls.inc({ source, outcome, result }),
    /** @param code of the failure, where it is one */
    delivery: (connection: string, route: string, result: string, code: FailureCode | '' = '') =>
      deliveries.inc({ connection, route, result, code }),
    /** @param ms from the webhook, or from the order of a replay, until it was written */
    latency: (connection: string, priority: Priority, ms: number) =>
      latency.observe({ connection, priority }, ms / 1000),
    omission: (connection: string, code: OmissionCode) => omissions.inc({ connection, code }),
    batch: (connection: string, size: number) => batches.observe({ connection }, size),
    request: countRequests(metrics),
    alert: (result: 'sent' | 'failed') => alerts.inc({ result }),
    digest: (digest: string, result: 'sent' | 'failed') => digests.inc({ digest, result }),
    circuit: {
      change: (connection: string, became: CircuitChange['became'], cause: string) =>
        changes.inc({ connection, became, cause }),
      probe: (connection: string, result: string) => probes.inc({ connection, result }),
    },
  };
}

/** Counts what a worker does, by what became of it. */
export type WorkCounts = ReturnType<typeof countWork>;
