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
  return {
    call: (result: string) => calls.inc({ result }),
    delivery: (connection: string, route: string, result: string) => deliveries.inc({ connection, route, result }),
    batch: (connection: string, size: number) => batches.observe({ connection }, size),
  };
}
