/**
 * docs/pictures/dashboard.svg and the list of alarms in docs/guide/operating.md: a run with faults, seen through the queries of
 * the Grafana dashboard and through the rules. `npm run monitoring:picture`; it takes six minutes, and Debian's `prometheus`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readAlertRules } from '../evaluate.ts';
import { askDashboard } from './dashboard.ts';
import { drawDashboard } from './draw.ts';
import { type Happening, runFaults } from './fault-run.ts';
import type { Prometheus, Series } from './prometheus.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PICTURE = resolve(ROOT, 'docs/pictures/dashboard.svg');
const PAGE = resolve(ROOT, 'docs/guide/operating.md');
const LIST = /(?<=<!-- alarms of the run -->\n)[\s\S]*?(?=<!-- end -->)/;

const { panels, span, alarms, happened } = await runFaults(async (prometheus, from, to, things) => ({
  span: { from, to },
  happened: things,
  panels: await askDashboard(prometheus, { from, to, step: 3 }),
  alarms: await listAlarms(prometheus, { from, to, step: 1 }),
}));
mkdirSync(dirname(PICTURE), { recursive: true });
writeFileSync(PICTURE, drawDashboard(panels, span, happened));
const page = readFileSync(PAGE, 'utf8');
if (!LIST.test(page)) throw new Error(`${PAGE} has no place for the list of alarms`);
writeFileSync(PAGE, page.replace(LIST, tableOf(alarms, happened)));
console.log(`${panels.length} panels in docs/pictures/dashboard.svg, ${alarms.length} alarms`);

interface Fired {
  alarm: string;
  /** What it names, where it names something. */
  about: string;
  /** Seconds of the run. */
  from: number;
  to: number;
}

async function listAlarms(prometheus: Prometheus, span: { from: number; to: number; step: number }): Promise<Fired[]> {
  const series = await prometheus.range('ALERTS{alertname=~"Wrapup.+",alertstate="firing"}', span);
  const fired = series.flatMap(({ labels, points }) =>
    pausesApart(points).map((stretch) => ({
      alarm: labels.alertname ?? '',
      about: ['process', 'source', 'connection', 'code', 'cause'].flatMap((name) => labels[name] ?? []).join(', '),
      from: Math.round((stretch[0]?.[0] ?? 0) - span.from),
      to: Math.round((stretch.at(-1)?.[0] ?? 0) - span.from),
    })),
  );
  return fired.sort((a, b) => a.from - b.from || a.alarm.localeCompare(b.alarm));
}

/** An alarm that is silent for less than ten seconds goes on. */
function pausesApart(points: Series['points']): Series['points'][] {
  const stretches: Series['points'][] = [];
  for (const point of points) {
    const last = stretches.at(-1);
    if (last && point[0] - (last.at(-1)?.[0] ?? 0) < 10) last.push(point);
    else stretches.push([point]);
  }
  return stretches;
}

function tableOf(fired: readonly Fired[], things: readonly Happening[]): string {
  const runbooks = new Map(readAlertRules().map(({ alert, annotations }) => [alert, annotations.runbook_url ?? '']));
  const rows = [
    ...things.map(({ at, what }) => ({ at, row: `| ${at} s | ${what} | |` })),
    ...fired.map(({ alarm, about, from, to }) => {
      const page = runbooks.get(alarm)?.replace('docs/', '../') ?? '';
      return {
        at: from,
        row: `| ${from} s | | [\`${alarm}\`](${page})${about ? ` of ${about}` : ''}, until ${to} s |`,
      };
    }),
  ];
  rows.sort((a, b) => a.at - b.at);
  return ['', '| at | what happens | alarm |', '| ---: | --- | --- |', ...rows.map(({ row }) => row), '', ''].join(
    '\n',
  );
}
