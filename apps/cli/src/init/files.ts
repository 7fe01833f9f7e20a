/** The files of a new installation, as text. */
import { relative, sep } from 'node:path';
import { variablePrefix } from '@wrapup/call';
import { INIT_KINDS, type InitKind } from './kinds.ts';
import type { Proposal } from './propose.ts';

export interface InitChoices {
  /** Absolute path of the folder. */
  folder: string;
  /** Folder of its mappings in that one; empty where they are not apart. */
  mappings: string;
  /** Folder of the schemas that editors complete from. */
  schemas: string;
  kind: string;
  preset: string;
  source: string;
  connection: string;
  country: string;
  /** Lines from a captured payload. */
  proposals: Proposal[];
}

/** `# yaml-language-server: …` for a file in a folder below the installation's. */
function modeline({ folder, schemas }: InitChoices, schema: string, below: string): string {
  const path = relative(below ? `${folder}/${below}` : folder, `${schemas}/${schema}.schema.json`);
  return `# yaml-language-server: $schema=${path.split(sep).join('/')}`;
}

export function wrapupYaml(choices: InitChoices): string {
  const { kind, source, connection, country } = choices;
  const { settings } = INIT_KINDS[kind] as InitKind;
  return `${modeline(choices, 'wrapup', '')}
# Which calls go where. \`wrapup check\` says what is wrong with this file, \`wrapup doctor\` asks the CRM too.
# \${X} is the environment variable X; secrets belong there. Names are permanent: they are part of what is written.

sources:
  ${source}:
    # Synthflow: Settings > Security > Webhooks. The agent's webhook: https://<your host>/webhooks/${source}/post-call
    webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"]
    # Synthflow: Settings > API Keys. With it calls whose webhook never came are found, every ten minutes (reconcile: false: not).
    api_key: "\${SYNTHFLOW_API_KEY:-}"
    # The country that numbers without a + belong to.
    default_country: ${country}
    # What webhooks do not say about your agents, by their ids:
    # agents: { "<agent id>": { name: Alice, direction: outbound, number: "+14155550100" } }

connections:
  ${connection}:
    kind: ${kind}
    ${settings.join('\n    ')}

routes:
  - { name: ${connection}-calls, to: ${connection}, mapping: mappings/${kind}.yaml }
`;
}

/** The file of a client. Its variables begin with its name, so that no client reads what is another's. */
export function clientYaml(choices: InitChoices, client: string): string {
  const { kind, source, connection, country, folder, schemas } = choices;
  const { settings } = INIT_KINDS[kind] as InitKind;
  const prefix = variablePrefix(client);
  // Where a CRM is, as the sandbox, is no secret of the client.
  const own = settings.map((line) => line.replace(/\$\{(?![A-Z_]*BASE_URL)/g, () => `\${${prefix}_`));
  return `${modeline({ ...choices, folder: `${folder}/..`, schemas }, 'wrapup', '')}
# Client ${client}. Names in this file are its own and permanent: outside they begin with ${client}., and nothing that stands
# in another file can be named here. \`wrapup check\` says what is wrong with it, and the other clients go on meanwhile.

sources:
  ${source}:
    # Synthflow, in the client's workspace: Settings > Security > Webhooks.
    webhook_secrets: ["\${${prefix}_SYNTHFLOW_WEBHOOK_SECRET}"]
    # The agent's webhook: https://<your host>/webhooks/${client}.${source}/<this token>/post-call
    path_token: ["\${${prefix}_PATH_TOKEN}"]
    # Synthflow: Settings > API Keys. With it calls whose webhook never came are found, every ten minutes (reconcile: false: not).
    api_key: "\${${prefix}_SYNTHFLOW_API_KEY:-}"
    # The country that numbers without a + belong to.
    default_country: ${country}

connections:
  ${connection}:
    kind: ${kind}
    ${own.join('\n    ')}

routes:
  - { name: calls, to: ${connection}, mapping: clients/${client}/${kind}.yaml }
`;
}

export function mappingYaml(choices: InitChoices): string {
  const { kind, preset, proposals } = choices;
  return `${modeline(choices, `mapping-${kind}`, choices.mappings)}
# What a call becomes. The preset does all that every call needs; what stands here comes on top or instead.
#
#   wrapup test       tries this file on calls, without a CRM
#   wrapup plan <payload or call id>    shows what a call would change in the CRM, and changes nothing
extends: ${kind}/${preset}
${proposals.length > 0 ? proposalLines(choices) : exampleLines(kind)}`;
}

function proposalLines({ kind, proposals }: InitChoices): string {
  const lines = proposals.map(({ property, form, about }) => `${property}: ${form} # ${about}`);
  const about = `# A line for each variable of the captured payload. Rename the left side to fields that you have${kind === 'http' ? '' : ', or let\n    # `wrapup provision` create these'}; remove what you do not need.`;
  if (kind === 'http')
    return `
events:
  - name: event
    fields:
      ${about.replaceAll('\n    ', '\n      ')}
      ${lines.join('\n      ')}
`;
  return `
person:
  fields:
    ${about}
    ${lines.join('\n    ')}
`;
}

function exampleLines(kind: string): string {
  const example =
    kind === 'http'
      ? ['events:', '  - name: event', '    leave_out: "call.transcript, call.turns"   # without what was said']
      : [
          'person:',
          '  fields:',
          `    ${kind === 'hubspot' ? 'jobtitle' : 'Title'}: vars.job_title   # one more field, from what the agent collected`,
        ];
  return `\n${example.map((line) => `# ${line}`).join('\n')}\n`;
}

/** Tests that pass as they stand: what became of the calls when they were written. */
export function fixtureYaml(
  choices: InitChoices,
  tests: { name: string; given: string; result: string; records: string[] }[],
): string {
  const { kind, country } = choices;
  const written = tests.map(
    ({ name, given, result, records }) => `  - name: ${name}
    given: ${given}
    expect: ${result}
    writes: { ${records.map((record) => `${record}: {}`).join(', ')} }`,
  );
  return `${modeline(choices, 'test', choices.mappings)}
# Calls in, records out: \`wrapup test\` runs it. Say more of what you expect: writes: { person: { firstname: Dana }, … }
mapping: ${kind}.yaml
source: { default_country: ${country} }
tests:
${written.join('\n\n')}
`;
}

export function envExample({ kind }: InitChoices): string {
  const { variables } = INIT_KINDS[kind] as InitKind;
  const all = [
    { name: 'SYNTHFLOW_WEBHOOK_SECRET', about: 'Signs the webhooks. Synthflow: Settings > Security > Webhooks.' },
    {
      name: 'SYNTHFLOW_API_KEY',
      about: 'Finds calls whose webhook never came, every ten minutes; may stay empty. Synthflow: Settings > API Keys.',
    },
    ...variables,
  ];
  return `# Copy to .env and fill in. Every secret X may also stand in a file that X_FILE names.
${all.map(({ name, about }) => `\n# ${about}\n${name}=`).join('\n')}
`;
}
