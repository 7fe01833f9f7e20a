/** Debian's Prometheus, which scrapes processes of this machine and evaluates rules each second. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../../scripts/ports.mjs';

export interface Series {
  labels: Record<string, string>;
  /** Epoch seconds and value; gaps where there was none. */
  points: (readonly [at: number, value: number])[];
}

export interface Prometheus {
  range(query: string, span: { from: number; to: number; step: number }): Promise<Series[]>;
  stop(): Promise<void>;
}

/** @param files `rules`, and a pattern of files with `targets` */
export async function startPrometheus(folder: string, files: { rules: string; targets: string }): Promise<Prometheus> {
  mkdirSync(folder, { recursive: true });
  const second = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  const config = {
    global: second,
    rule_files: [files.rules],
    scrape_configs: [{ job_name: 'wrapup', file_sd_configs: [{ files: [files.targets] }] }],
  };
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      ...[`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`],
      ...[`--web.listen-address=${address}`, '--log.level=warn'],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const isReady = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    async range(query, { from, to, step }) {
      const body = new URLSearchParams({ query, start: String(from), end: String(to), step: String(step) });
      const answer = (await (await fetch(`http://${address}/api/v1/query_range`, { method: 'POST', body })).json()) as {
        status: string;
        error?: string;
        data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
      };
      if (answer.status !== 'success') throw new Error(`${query}: ${answer.error}`);
      return answer.data.result.map(({ metric, values }) => ({
        labels: metric,
        points: values.map(([at, value]) => [at, Number(value)] as const).filter(([, value]) => Number.isFinite(value)),
      }));
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
