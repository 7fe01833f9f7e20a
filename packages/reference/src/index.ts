import { resolve } from 'node:path';
import { drawArchitecture } from './architecture-diagram.ts';
import { analysisPage } from './pages/analysis-page.ts';
import { configurationPage } from './pages/configuration-page.ts';
import { mappingPage } from './pages/mapping-page.ts';
import { metricsPage } from './pages/metrics-page.ts';
import { outcomesPage } from './pages/outcomes-page.ts';
import { presetPages } from './pages/presets-page.ts';
import { recipesPage } from './pages/recipes-page.ts';
import { resultsPage } from './pages/results-page.ts';
import { prometheusRule } from './prometheus-rule.ts';
import { makeSchemas } from './schemas.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Every generated file by its path in the repository. */
export async function generate(): Promise<Record<string, string>> {
  return {
    ...makeSchemas(),
    ...(await presetPages()),
    'docs/reference/mapping-language.md': mappingPage(),
    'docs/reference/metrics.md': metricsPage(),
    'docs/reference/outcomes.md': outcomesPage(),
    'docs/reference/analysis.md': analysisPage(),
    'docs/reference/results.md': resultsPage(),
    'docs/recipes/README.md': recipesPage(),
    'docs/reference/configuration.md': configurationPage(),
    'deploy/kubernetes/components/monitoring/alerts.yaml': prometheusRule(ROOT),
    'docs/architecture.svg': drawArchitecture(ROOT),
  };
}
