import { resolve } from 'node:path';
import { analysisPage } from './analysis-page.ts';
import { drawArchitecture } from './architecture-diagram.ts';
import { configurationPage } from './configuration-page.ts';
import { mappingPage } from './mapping-page.ts';
import { outcomesPage } from './outcomes-page.ts';
import { presetPages } from './presets-page.ts';
import { recipesPage } from './recipes-page.ts';
import { resultsPage } from './results-page.ts';
import { makeSchemas } from './schemas.ts';

/** Every generated file by its path in the repository. */
export async function generate(): Promise<Record<string, string>> {
  return {
    ...makeSchemas(),
    ...(await presetPages()),
    'docs/reference/mapping-language.md': mappingPage(),
    'docs/reference/outcomes.md': outcomesPage(),
    'docs/reference/analysis.md': analysisPage(),
    'docs/reference/results.md': resultsPage(),
    'docs/recipes/README.md': recipesPage(),
    'docs/reference/configuration.md': configurationPage(),
    'docs/architecture.svg': drawArchitecture(resolve(import.meta.dirname, '../../..')),
  };
}
