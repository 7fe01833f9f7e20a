/** docs/reference/metrics.md: what each process exports, from the catalogue that registers it. */
import { METRIC_LABELS, METRICS, type MetricDefinition } from '@wrapup/telemetry';
import { code, codes, GENERATED, table } from './markdown.ts';

export function metricsPage(): string {
  const rows = Object.entries<MetricDefinition>(METRICS).map(([name, { type, of, help, labels = [] }]) => [
    code(`wrapup_${name}`),
    type,
    of.join(', '),
    codes(labels),
    help,
  ]);
  return `${GENERATED}

# Metrics

What \`/metrics\` of each process exports, in the Prometheus format, beside the usual metrics of Node.js (memory, CPU, garbage collection, \`nodejs_eventloop_lag_p99_seconds\` for the delay of its event loop). [Operating](../guide/operating.md#metrics) says who may read them; [deploy/monitoring](../../deploy/monitoring/README.md) holds a dashboard and alarms.

${table(['metric', 'type', 'process', 'labels', 'says'], rows)}

## Labels

A label means the same in every metric, so that series are joined by it. Their values are names from the configuration, or words of a closed set; ids and personal data are never among them.

${table(
  ['label', 'holds'],
  Object.entries(METRIC_LABELS).map(([label, holds]) => [code(label), holds]),
)}
`;
}
