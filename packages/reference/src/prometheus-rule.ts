/** deploy/kubernetes/components/monitoring/alerts.yaml: the alarms as the Prometheus Operator takes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

/** @param root of the repository */
export function prometheusRule(root: string): string {
  const { groups } = parse(readFileSync(join(root, 'deploy/monitoring/alerts.yml'), 'utf8')) as { groups: unknown[] };
  const rule = {
    ...{ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule' },
    ...{ metadata: { name: 'wrapup' }, spec: { groups } },
  };
  return `# Made by \`npm run generate\` from deploy/monitoring/alerts.yml; change it there.\n${stringify(rule, { lineWidth: 0 })}`;
}
