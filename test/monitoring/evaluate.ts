/**
 * Which alarms of deploy/monitoring/alerts.yml fire, by what real processes exported: two scrapes become series of a day and
 * more, and promtool evaluates the rules on them. Counters go on as they rose between the two, so that a fault lasts;
 * gauges stay as they are.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';

export const ALERTS_FILE = resolve(import.meta.dirname, '../../deploy/monitoring/alerts.yml');

export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export function readAlertRules(): AlertRule[] {
  const { groups } = parse(readFileSync(ALERTS_FILE, 'utf8')) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** Whether promtool can be had: Debian's package `prometheus` has it. */
export const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

export interface Scrape {
  /** Epoch seconds. */
  at: number;
  series: Map<string, { value: number; grows: boolean }>;
}

/** What each process exports now, as Prometheus would have it; nothing of one that is gone: one that is slow is waited for. */
export async function scrape(ports: Record<string, number>): Promise<Scrape> {
  const series: Scrape['series'] = new Map();
  for (const [instance, port] of Object.entries(ports)) {
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    const types = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type]) => [name, type]));
    for (const [, name = '', labels, value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
      const type = types.get(name) ?? types.get(name.replace(/_(bucket|sum|count)$/, ''));
      const key = `${name}{${[`instance="${instance}"`, ...(labels ? [labels] : [])].join(',')}}`;
      series.set(key, { value: Number(value), grows: type !== 'gauge' });
    }
  }
  return { at: Date.now() / 1000, series };
}

/** Minutes of the first scrape, before the second one: longer than any rule looks back for a series that is new. */
const MINUTES_BEFORE = 70;
/** When an alarm is asked for that needs longer than an hour, in minutes after the second scrape. */
const LATE: Record<string, number> = { WrapupCallsParked: 25 * 60, WrapupReconcileLate: 100 };
const USUAL = 50;
/** Its day is evaluated for nothing else: for all rules it took ten times as long. */
const BY_ITSELF = 'WrapupCallsParked';

const metricsOf = (rules: readonly AlertRule[]) =>
  rules.flatMap(({ expr }) => expr.match(/\b(?:wrapup|nodejs|process)_\w+/g) ?? []);

/**
 * Waits for promtool, and keeps this process at work meanwhile: it is the CRM of the processes that were scraped, which would
 * find it slow otherwise.
 * @returns names of the alarms that fire, sorted
 */
export async function firingAlarms(before: Scrape, after: Scrape): Promise<string[]> {
  const rules = readAlertRules();
  // Prometheus' clock begins at nought here, with the first scrape; the second one comes later.
  const zero = after.at - MINUTES_BEFORE * 60;
  const inputOf = (names: readonly string[], minutes: number) =>
    [...new Set([...before.series.keys(), ...after.series.keys()])]
      .filter((key) => names.includes(key.slice(0, key.indexOf('{'))))
      .map((key) => {
        const [old, now] = [before.series.get(key), after.series.get(key)];
        // A process that both saw has run since before the first.
        const isOld = key.startsWith('process_start_time_seconds{') && old?.value === now?.value;
        const moved = isOld ? before.at : /_(timestamp|start_time)_seconds\{/.test(key) ? zero : 0;
        const first = old ? `${old.value - moved}+0x${MINUTES_BEFORE - 1}` : `_x${MINUTES_BEFORE}`;
        if (!now) return { series: key, values: `${first} stale` };
        const step = now.grows ? now.value - (old?.value ?? 0) : 0;
        return { series: key, values: `${first} ${now.value - moved}+${step}x${minutes + 10}` };
      });
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-alarms-'));
  try {
    const write = (name: string, content: object) => {
      writeFileSync(join(folder, name), stringify(content, { lineWidth: 0 }));
      return join(folder, name);
    };
    /** A test says that none of these alarms fires; promtool names those that do. */
    const testOf = (some: readonly AlertRule[], name: string) => {
      const minutesOf = ({ alert }: AlertRule) => LATE[alert] ?? USUAL;
      const test = {
        ...{ interval: '1m', input_series: inputOf(metricsOf(some), Math.max(...some.map(minutesOf))) },
        promql_expr_test: some.map((rule) => ({
          expr: `ALERTS{alertname="${rule.alert}",alertstate="firing"}`,
          eval_time: `${MINUTES_BEFORE + minutesOf(rule)}m`,
          exp_samples: [],
        })),
      };
      const rule_files = [write(`${name}.yml`, { groups: [{ name, rules: some }] })];
      return write(`${name}-test.yml`, { rule_files, evaluation_interval: '1m', tests: [test] });
    };
    const files = [
      testOf(
        rules.filter(({ alert }) => alert !== BY_ITSELF),
        'together',
      ),
      testOf(
        rules.filter(({ alert }) => alert === BY_ITSELF),
        'by-itself',
      ),
    ];
    const { passes, output } = await new Promise<{ passes: boolean; output: string }>((done) => {
      execFile('promtool', ['test', 'rules', ...files], (error, stdout, stderr) =>
        done({ passes: error === null, output: stdout + stderr }),
      );
    });
    // The quotes of what was asked are escaped, those of what was found are not.
    const found = [...output.matchAll(/[^\\]alertname="(\w+)"/g)].map(([, name]) => name as string);
    if (!passes && found.length === 0) throw new Error(`promtool: ${output}`);
    return [...new Set(found)].sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
