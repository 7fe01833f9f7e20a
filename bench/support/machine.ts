import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';
import { findRedisServer } from '../../scripts/local-redis.mjs';

/**
 * On what it was measured: machine in general terms, how busy it was, versions. Ask when the measuring is over.
 * @param packages further ones whose versions matter
 */
export async function describeMachine(packages: string[] = []): Promise<string> {
  const { command, env } = await findRedisServer();
  const redis = /v=([\d.]+)/.exec(
    execFileSync(command, ['--version'], { env: { ...process.env, ...env }, encoding: 'utf8' }),
  )?.[1];
  const cores = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  const versions = ['bullmq', 'ioredis', 'express', ...packages].map((name) => `${name} ${versionOf(name)}`).join(', ');
  return `${cores.length} cores of ${cores[0]?.model.trim() ?? 'an unknown CPU'}, ${memory} GiB, load average ${loadavg()[1]?.toFixed(0)} when it was over; Node ${process.versions.node}, Redis ${redis}, ${versions}`;
}

/** What has to be said of figures where other work was on the machine, by what `describeMachine` said of it; empty where none was. */
export function busyRemark(machine: string): string {
  const [, cores, load] = /^(\d+) cores.* load average (\d+) /.exec(machine) ?? [];
  if (!(Number(load) > Number(cores))) return '';
  return ' **The machine was busy with other work meanwhile: times and CPU are above those of a machine of its own; counts and bytes hold.**';
}

function versionOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}/`.length);
  return JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).version;
}
