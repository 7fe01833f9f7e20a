/** Conditions that are written as a formula, `vars.budget > 10000`, in the form that mappings have for them. */

const PREDICATES: Readonly<Record<string, string>> = {
  ...{ '>': 'gt', '>=': 'gte', '<': 'lt', '<=': 'lte', '=': 'equals', '==': 'equals', '===': 'equals' },
  ...{ is: 'equals', contains: 'contains', in: 'in' },
};
const FORMULA = /^\s*([^\s<>=!]+)\s*(>=|<=|>|<|={1,3}|\b(?:is|contains|in)\b)\s*(.+?)\s*$/;
const SUCH_AS = 'write it as { path: vars.budget, gt: 10000 }';

function conditionForm(text: string): string {
  const [, path, sign = '', value = ''] = FORMULA.exec(text) ?? [];
  const predicate = PREDICATES[sign];
  if (path === undefined || predicate === undefined) return SUCH_AS;
  return `write it as { path: ${path}, ${predicate}: ${predicate === 'in' && !value.startsWith('[') ? `[${value}]` : value} }`;
}

/** By the keys that conditions stand under. */
export const CONDITION_FORMS: Readonly<Record<string, (written: string) => string>> = Object.fromEntries(
  ['when', 'all', 'any', 'not', 'count'].map((key) => [key, conditionForm]),
);
