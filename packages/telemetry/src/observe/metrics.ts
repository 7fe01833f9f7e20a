import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

/** Seconds, from a fast Redis round trip to a CRM that takes its time. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The numbers of one process. Names get the prefix `wrapup_`; asking for the same name twice gives the same metric. */
export interface Metrics {
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  /** @param collect called before each scrape, to set the value then */
  gauge<L extends string>(
    name: string,
    help: string,
    labels?: readonly L[],
    collect?: (gauge: Gauge<L>) => void | Promise<void>,
  ): Gauge<L>;
  /** @param buckets upper bounds, by default seconds from 1 ms to 30 s */
  histogram<L extends string>(name: string, help: string, labels?: readonly L[], buckets?: number[]): Histogram<L>;
  /** Everything in the Prometheus text format. */
  text(): Promise<string>;
  /** Content type of `text()`. */
  readonly contentType: string;
}

/** Whether the file of each client is in force, as this process finds it. @param list asked for at each scrape */
export function watchClients(metrics: Metrics, list: () => readonly { name: string; state: string }[]): void {
  metrics.gauge(
    'client_configuration_current',
    'Whether what the file of a client says is in force in this process: 0 where it has errors.',
    ['client'],
    (gauge) => {
      gauge.reset();
      for (const { name, state } of list()) gauge.set({ client: name }, state === 'current' ? 1 : 0);
    },
  );
}

/** A registry of its own, with the process and Node.js metrics of prom-client in it unless `defaults` is false. */
export function createMetrics({ defaults = true }: { defaults?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (defaults) collectDefaultMetrics({ register: registry });
  const once = <M>(name: string, make: (name: string) => M): M => {
    const full = `wrapup_${name}`;
    return (registry.getSingleMetric(full) as M | undefined) ?? make(full);
  };
  return {
    counter: (name, help, labels = []) =>
      once(name, (full) => new Counter({ name: full, help, labelNames: labels, registers: [registry] })),
    gauge: (name, help, labels = [], collect) =>
      once(
        name,
        (full) =>
          new Gauge({
            name: full,
            help,
            labelNames: labels,
            registers: [registry],
            ...(collect && {
              collect() {
                return collect(this);
              },
            }),
          }),
      ),
    histogram: (name, help, labels = [], buckets = SECONDS) =>
      once(name, (full) => new Histogram({ name: full, help, labelNames: labels, buckets, registers: [registry] })),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
