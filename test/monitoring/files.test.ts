/** The files of deploy/monitoring are what Prometheus, Grafana and Docker Compose read. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { hasPromtool, readAlertRules } from './evaluate.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'deploy/monitoring');

interface Panel {
  title: string;
  type: string;
  targets?: { expr: string }[];
}
const dashboard = JSON.parse(readFileSync(join(FOLDER, 'grafana/dashboard.json'), 'utf8')) as {
  panels: (Panel & { id: number; gridPos: { x: number; y: number; w: number; h: number } })[];
  templating: { list: { name: string }[] };
};

function promtool(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

describe.skipIf(!hasPromtool)('promtool', () => {
  it('finds no mistake in the rules and in what Prometheus scrapes', () => {
    expect(promtool('check', 'rules', 'alerts.yml')).toMatchObject({ status: 0 });
    expect(promtool('check', 'config', '--syntax-only', 'prometheus.yml')).toMatchObject({ status: 0 });
  });

  it('passes the tests of the rules', () => {
    expect(promtool('test', 'rules', 'alerts.test.yml')).toMatchObject({ status: 0 });
  });

  it('understands each query of the dashboard, and those that workers are scaled by', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wrapup-queries-'));
    const rules = dashboard.panels.flatMap(({ targets = [] }) =>
      targets.map(({ expr }, index) => ({
        record: `query:${index}`,
        expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$connection', '.*'),
      })),
    );
    const scaled = readFileSync(join(ROOT, 'deploy/kubernetes/components/keda/scaled-object.yaml'), 'utf8');
    const { spec } = parse(scaled) as { spec: { triggers: { metadata: { query: string } }[] } };
    rules.push(...spec.triggers.map(({ metadata }, index) => ({ record: `workers:${index}`, expr: metadata.query })));
    const labelled = rules.map((rule, index) => ({ ...rule, labels: { query: String(index) } }));
    writeFileSync(join(folder, 'queries.yml'), stringify({ groups: [{ name: 'queries', rules: labelled }] }));
    expect(promtool('check', 'rules', join(folder, 'queries.yml'))).toMatchObject({ status: 0 });
    rmSync(folder, { recursive: true });
    expect(rules.length).toBeGreaterThan(30);
  });
});

it('docs/pictures/dashboard.svg shows each panel and docs/guide/operating.md each alarm of the run by its page', () => {
  const picture = readFileSync(join(ROOT, 'docs/pictures/dashboard.svg'), 'utf8');
  // Made anew with `npm run monitoring:picture` when a panel comes, goes or is called otherwise.
  const titles = [...picture.matchAll(/<text class="title"[^>]*>([^<]+)<\/text>/g)].map(([, title]) => title);
  expect(titles.slice(1).sort()).toEqual(dashboard.panels.map(({ title }) => title).sort());
  const page = readFileSync(join(ROOT, 'docs/guide/operating.md'), 'utf8');
  const fired = [...page.matchAll(/\[`(Wrapup\w+)`\]\(\.\.\/(runbooks\/[a-z-]+\.md)\)/g)].map(([, ...found]) => found);
  expect(fired.length).toBeGreaterThan(5);
  const rules = readAlertRules();
  for (const [alarm, runbook] of fired)
    expect(rules.find(({ alert }) => alert === alarm)?.annotations.runbook_url).toBe(`docs/${runbook}`);
});

describe('the dashboard', () => {
  it('imports as it is: the data source is chosen at its top, and every panel is a panel of its own', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'connection']);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const text = JSON.stringify(dashboard);
    expect(text).not.toContain('__inputs');
    for (const [, uid] of text.matchAll(/"uid":"([^"]+)"/g)) expect(['wrapup', '${datasource}']).toContain(uid);
  });

  it('has no panel upon another', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(x, title).toBeLessThan(24);
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          taken.add(`${x} ${y}`);
        }
    }
  });
});

describe('compose', () => {
  const { services, volumes } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    services: Record<string, { profiles?: string[]; volumes?: string[]; ports?: string[] }>;
    volumes: Record<string, unknown>;
  };

  it('runs Prometheus and Grafana with the files of this folder, only where that is asked for', () => {
    for (const name of ['prometheus', 'grafana']) {
      const { profiles, volumes: mounts = [], ports = [] } = services[name] ?? {};
      expect(profiles).toEqual(['monitoring']);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      for (const mount of mounts) {
        const [from = ''] = mount.split(':');
        if (from.startsWith('./')) expect(() => readFileSync(join(ROOT, from))).not.toThrow();
        else expect(volumes).toHaveProperty(from);
      }
    }
    const mounted = [...(services.prometheus?.volumes ?? []), ...(services.grafana?.volumes ?? [])].join(' ');
    for (const file of ['prometheus.yml', 'alerts.yml', 'dashboard.json', 'datasource.yml', 'provider.yml'])
      expect(mounted).toContain(file);
  });
});
