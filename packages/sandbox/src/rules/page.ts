/** The rules as a page for people: docs/reference/sandbox-rules.md is this text. */
import { FORMS } from '../settings.ts';
import { HUBSPOT_RULES } from './hubspot.ts';
import type { SandboxRule } from './rule.ts';
import { SALESFORCE_RULES } from './salesforce.ts';

/** Every rule by which the sandbox answers. */
export const SANDBOX_RULES: SandboxRule[] = [...HUBSPOT_RULES, ...SALESFORCE_RULES];

const HEAD = `# Where the sandbox's rules come from

What the sandbox answers in place of HubSpot and Salesforce, and how that is known: *recorded* agrees with answers that accounts
gave in those years, *documented* with the page that it links to, and *guessed* with neither. Each guess is a question that
\`npm run live:hubspot\` or \`npm run live:salesforce\` asks of a real account ([how](../guide/live.md)).

Answers were recorded in several years and differ between them; the setting \`forms\` chooses: ${FORMS.join(', ')}, the last by
default. Where a year is not named, its forms are those of the year before.
`;

/** The page, as Markdown. */
export function describeRules(): string {
  const vendors = ['HubSpot', 'Salesforce'] as const;
  return [HEAD, counts(), ...vendors.map(describeVendor)].join('\n');
}

function counts(): string {
  const count = (kind: string) => SANDBOX_RULES.filter(({ source }) => kind in source).length;
  return `${SANDBOX_RULES.length} rules: ${count('recorded')} recorded, ${count('documented')} documented, ${count('guessed')} guessed.\n`;
}

function describeVendor(vendor: SandboxRule['vendor']): string {
  const rules = SANDBOX_RULES.filter((rule) => rule.vendor === vendor);
  const areas = [...new Set(rules.map(({ area }) => area))];
  const rows = areas.map((area) => {
    const own = rules.filter((rule) => rule.area === area).map(describeRule);
    return `### ${area}\n\n| rule | codes | source |\n| --- | --- | --- |\n${own.join('\n')}\n`;
  });
  return [`## ${vendor}\n`, ...rows].join('\n');
}

function describeRule({ does, codes, source }: SandboxRule): string {
  return `| ${does} | ${codes.map((code) => `\`${code}\``).join(', ')} | ${describeSource(source)} |`;
}

function describeSource(source: SandboxRule['source']): string {
  if ('recorded' in source) return `recorded ${source.recorded}`;
  return 'documented' in source ? `[documented](${source.documented})` : `guessed: ${source.guessed}`;
}

/** What a real account answered to one question of a live script. */
export interface LiveAnswer {
  question: string;
  answer: string;
  /** The sandbox answers so. */
  confirms: boolean;
}

/** The end of a live run: each question, what the account answered, and the rule that it confirms or contradicts. */
export function describeAnswers(answers: LiveAnswer[]): string {
  const lines = answers.flatMap(({ question, answer, confirms }) => {
    const rule = SANDBOX_RULES.find(({ source }) => 'guessed' in source && source.guessed === question);
    return [
      question,
      `  answer:  ${answer}`,
      `  sandbox: ${confirms ? 'confirmed' : 'CONTRADICTED'}${rule ? `: ${rule.does}` : ''}`,
    ];
  });
  const wrong = answers.filter(({ confirms }) => !confirms).length;
  return [
    ...lines,
    '',
    `${answers.length} questions: ${answers.length - wrong} confirm the sandbox, ${wrong} contradict it.`,
  ].join('\n');
}
