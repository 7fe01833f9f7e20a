/** deploy/monitoring/grafana/dashboard.json, as much of it as a picture needs. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Prometheus, Series } from './prometheus.ts';

const FILE = resolve(import.meta.dirname, '../../../deploy/monitoring/grafana/dashboard.json');

export interface Panel {
  type: 'row' | 'stat' | 'timeseries' | 'state-timeline' | 'table';
  title: string;
  /** In 24 columns, and rows of 30 pixels. */
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig?: {
    defaults: {
      unit?: string;
      custom?: { stacking?: { mode: string } };
      thresholds?: { steps: { color: string; value: number | null }[] };
    };
  };
  targets?: { expr: string; legendFormat?: string }[];
}

export function readPanels(): Panel[] {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { panels: Panel[] }).panels;
}

export interface DrawnPanel extends Panel {
  series: { name: string; points: Series['points'] }[];
}

/**
 * What each query of the dashboard gives. Grafana's own variables are what it would put in: all connections, and four scrapes
 * for a rate; an hour of the dashboard is a minute of the run, as a minute of the rules is a second.
 */
export async function askDashboard(
  prometheus: Prometheus,
  span: { from: number; to: number; step: number },
): Promise<DrawnPanel[]> {
  const drawn: DrawnPanel[] = [];
  for (const panel of readPanels()) {
    const series: DrawnPanel['series'] = [];
    for (const { expr, legendFormat = '' } of panel.targets ?? []) {
      const query = expr
        .replaceAll('$connection', '.*')
        .replaceAll('$__rate_interval', '6s')
        .replaceAll('[1h]', '[1m]');
      for (const { labels, points } of await prometheus.range(query, span))
        series.push({ name: nameOf(legendFormat, labels), points });
    }
    drawn.push({ ...panel, series });
  }
  return drawn;
}

function nameOf(format: string, labels: Record<string, string>): string {
  if (format === '' || format === 'table')
    return Object.entries(labels)
      .map((pair) => pair.join('='))
      .join(' ');
  return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '').trim();
}
