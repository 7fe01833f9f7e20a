import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import manifest from '../../package.json' with { type: 'json' };
import {
  type LabelsOf,
  METRICS,
  type MetricDefinition,
  type MetricName,
  type MetricProcess,
  type NamesOfType,
  SECONDS,
} from './metric-catalogue.ts';

export type { Counter, Gauge, Histogram } from 'prom-client';

/** What a scrape calls before it reads a metric, to set the value then. */
type Collect<Metric> = (metric: Metric) => void | Promise<void>;

/**
 * The numbers of one process, each as `METRICS` defines it, under names with the prefix `wrapup_`. Asking for the same
 * name twice gives the same metric.
 */
export interface Metrics {
  counter<Name extends NamesOfType<'counter'>>(
    name: Name,
    collect?: Collect<Counter<LabelsOf<Name>>>,
  ): Counter<LabelsOf<Name>>;
  gauge<Name extends NamesOfType<'gauge'>>(name: Name, collect?: Collect<Gauge<LabelsOf<Name>>>): Gauge<LabelsOf<Name>>;
  histogram<Name extends NamesOfType<'histogram'>>(name: Name): Histogram<LabelsOf<Name>>;
  /** Everything in the Prometheus text format. */
  text(): Promise<string>;
  /** Content type of `text()`. */
  readonly contentType: string;
}

/** Counts the requests to a CRM and times them; `took` and `waited` in ms, and `took` absent where none was sent. */
export function countRequests(metrics: Metrics) {
  const requests = metrics.counter('crm_requests_total');
  const seconds = metrics.histogram('crm_request_seconds');
  const waits = metrics.histogram('quota_wait_seconds');
  return (connection: string, priority: string, request: { result: string; waited: number; took?: number }): void => {
    waits.observe({ connection, priority }, request.waited / 1000);
    if (request.took === undefined) return;
    requests.inc({ connection, result: request.result });
    seconds.observe({ connection }, request.took / 1000);
  };
}

/** Whether the file of each client is in force, as this process finds it. @param list asked for at each scrape */
export function watchClients(metrics: Metrics, list: () => readonly { name: string; state: string }[]): void {
  metrics.gauge('client_configuration_current', (gauge) => {
    gauge.reset();
    for (const { name, state } of list()) gauge.set({ client: name }, state === 'current' ? 1 : 0);
  });
}

/**
 * A registry of its own. With the name of the process it says which version runs, and has the process and Node.js metrics
 * of prom-client in it, event-loop delay and garbage collection among them.
 */
export function createMetrics(name?: MetricProcess): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const once = <M>(name: MetricName, make: () => M): M =>
    (registry.getSingleMetric(`wrapup_${name}`) as M | undefined) ?? make();
  const optionsOf = <Label extends string>(name: MetricName, collect?: Collect<never>) => {
    const { help, labels = [] } = METRICS[name] as MetricDefinition;
    return {
      ...{ name: `wrapup_${name}`, help, labelNames: labels as readonly string[] as Label[], registers },
      ...(collect && {
        collect(this: unknown) {
          return collect(this as never);
        },
      }),
    };
  };
  const metrics: Metrics = {
    counter: (name, collect) => once(name, () => new Counter(optionsOf(name, collect as Collect<never>))),
    gauge: (name, collect) => once(name, () => new Gauge(optionsOf(name, collect as Collect<never>))),
    histogram: (name) => {
      const { buckets = SECONDS } = METRICS[name] as MetricDefinition;
      return once(name, () => new Histogram({ ...optionsOf(name), buckets: [...buckets] }));
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
  if (name) {
    collectDefaultMetrics({ register: registry });
    metrics
      .gauge('build_info')
      .set({ process: name, version: manifest.version, revision: process.env.WRAPUP_REVISION ?? '' }, 1);
  }
  return metrics;
}
