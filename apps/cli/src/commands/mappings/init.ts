import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Call } from '@wrapup/call';
import type { Command } from 'commander';
import type { GlobalOptions } from '../../connect/settings.ts';
import { envExample, fixtureYaml, type InitChoices, mappingYaml, wrapupYaml } from '../../init/files.ts';
import { INIT_KINDS, type InitKind } from '../../init/kinds.ts';
import { propose } from '../../init/propose.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { parseJson, readInput } from '../../terminal/input.ts';
import { makeOutput, type Output } from '../../terminal/output.ts';

export interface InitOptions extends GlobalOptions {
  crm?: string;
  preset?: string;
  source?: string;
  connection?: string;
  country?: string;
  from?: string;
}

const SCHEMAS = resolve(import.meta.dirname, '../../../../../schema');

/** `wrapup init`: a configuration to start from. Asks for what no flag says, and overwrites nothing. */
export function addInit(program: Command): void {
  program
    .command('init')
    .description('write a wrapup.yaml, a mapping, its tests and an .env.example to start from')
    .argument('[folder]', 'where to', 'config')
    .option('--crm <kind>', 'hubspot, salesforce or http')
    .option('--preset <name>', 'what calls become: call-log, or another preset of the CRM')
    .option('--source <name>', 'name of the Synthflow workspace, part of the webhook’s address (default: main)')
    .option('--connection <name>', 'name of the CRM account')
    .option('--country <code>', 'country of numbers without a +, two capitals (default: US)')
    .option(
      '--from <payload>',
      'a captured payload: a mapping line is proposed for every variable that it collected and the preset does not write',
    )
    .addHelpText(
      'after',
      '\nAsks on a terminal for what no option says. Exits 1 and writes nothing when a file exists already.',
    )
    .action(async (folder: string, _options, command: Command) => {
      const options = command.optsWithGlobals<InitOptions>();
      const output = makeOutput(options.json ?? false);
      const choices = await chooseInit(resolve(folder), options);
      const payload = options.from === undefined ? undefined : parseJson(await readInput(options.from), options.from);
      const call = payload === undefined ? undefined : await readCall(payload, choices);
      if (call) choices.proposals = propose(call, choices.kind);
      const files: Record<string, string> = {
        'wrapup.yaml': wrapupYaml(choices),
        [`mappings/${choices.kind}.yaml`]: mappingYaml(choices),
        '.env.example': envExample(choices),
      };
      const fixture = `mappings/${choices.kind}.test.yaml`;
      refuseOverwriting(choices.folder, [...Object.keys(files), fixture]);
      for (const [name, text] of Object.entries(files)) write(choices.folder, name, text);
      write(choices.folder, fixture, await tested(choices, fixture, options.from));
      report(choices, [...Object.keys(files), fixture], output);
    });
}

/** What to begin with: what the options say, else what a person at a terminal says. @throws CliError */
export async function chooseInit(folder: string, options: InitOptions): Promise<InitChoices> {
  const { isName, KINDS } = await import('@wrapup/config');
  const { readPresetHead } = await import('@wrapup/mapping');
  const kinds = Object.keys(INIT_KINDS).filter((kind) => Object.hasOwn(KINDS, kind));
  const kind = await decide(options.crm, 'Which CRM?', kinds, '--crm');
  const presets = KINDS[kind]?.dialect.presets ?? {};
  const names = Object.keys(presets);
  const about = (name: string) => readPresetHead(`${kind}/${name}`, presets[name]?.() ?? '').title;
  const preset = await decide(options.preset, 'What do calls become?', names, '--preset', names[0], about);
  const { connection } = INIT_KINDS[kind] as InitKind;
  const choices = {
    ...{ folder, mappings: 'mappings', schemas: SCHEMAS, kind, preset, proposals: [] },
    source: options.source ?? 'main',
    connection: options.connection ?? connection,
    country: options.country ?? (await askCountry()),
  };
  for (const flag of ['source', 'connection'] as const)
    if (!isName(choices[flag]))
      throw new CliError(
        EXIT.usage,
        `"${choices[flag]}" is no name`,
        'small letters, digits and single dashes: it is permanent',
      );
  if (!COUNTRY.test(choices.country))
    throw new CliError(EXIT.usage, `"${choices.country}" is no country`, 'two capitals, such as US, GB or DE');
  return choices;
}

/** What the flag says, else what a person at a terminal says, else the fallback. */
async function decide(
  said: string | undefined,
  question: string,
  known: string[],
  flag: string,
  fallback?: string,
  about?: (name: string) => string,
): Promise<string> {
  const meant = (text: string) => known.find((one) => one === text.trim().toLowerCase());
  if (said !== undefined) {
    const chosen = meant(said);
    if (chosen !== undefined) return chosen;
    throw new CliError(EXIT.usage, `${flag} cannot be ${said}`, `${flag} is one of ${known.join(', ')}`);
  }
  if (known.length === 1) return known[0] as string;
  if (!process.stdin.isTTY) {
    if (fallback !== undefined) return fallback;
    throw new CliError(EXIT.usage, `${flag} is needed`, `one of ${known.join(', ')}`);
  }
  const usual = fallback ?? known[0] ?? '';
  const list = about ? known.map((one) => `  ${one}: ${about(one)}\n`).join('') : '';
  return ask(`${list}${question} [${known.join(', ')}] (${usual}) `, (answer) => {
    const chosen = meant(answer || usual);
    return chosen === undefined ? { wrong: `"${clean(answer, 40)}" is none of ${known.join(', ')}` } : { chosen };
  });
}

/** Calls come from all over the world, and the numbers without a + from one country. */
async function askCountry(): Promise<string> {
  if (!process.stdin.isTTY) return USUAL_COUNTRY;
  return ask(`Which country are numbers without a + of? Two capitals (${USUAL_COUNTRY}) `, (answer) => {
    const chosen = (answer || USUAL_COUNTRY).toUpperCase();
    return COUNTRY.test(chosen) ? { chosen } : { wrong: `"${clean(answer, 40)}" is no country: US, GB, DE` };
  });
}

const USUAL_COUNTRY = 'US';
const COUNTRY = /^[A-Z]{2}$/;

/** Asks until the answer is one, and says what is wrong with the others. */
async function ask(
  question: string,
  read: (answer: string) => { chosen: string } | { wrong: string },
): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    for (;;) {
      const answer = read((await terminal.question(question)).trim());
      if ('chosen' in answer) return answer.chosen;
      process.stderr.write(`${answer.wrong}\n`);
    }
  } finally {
    terminal.close();
  }
}

async function readCall(payload: unknown, { source, country }: InitChoices): Promise<Call> {
  const { normalise, readCallId } = await import('@wrapup/synthflow/payload');
  if (readCallId(payload) === undefined)
    throw new CliError(EXIT.usage, 'the captured payload has no call id', 'it belongs at call.call_id');
  return normalise(payload, { source, default_country: country });
}

function refuseOverwriting(folder: string, names: string[]): void {
  const there = names.filter((name) => existsSync(join(folder, name)));
  if (there.length === 0) return;
  const shown = there.map((name) => relative(process.cwd(), join(folder, name))).join(', ');
  throw new CliError(
    EXIT.failed,
    `${shown} ${there.length === 1 ? 'is' : 'are'} there already; nothing was written`,
    'name another folder: wrapup init <folder>',
  );
}

function write(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  // Never over a file that came meanwhile.
  writeFileSync(path, text, { flag: 'wx' });
}

/** The fixture, made by running it once: what becomes of the calls now is what it expects. */
async function tested(choices: InitChoices, fixture: string, captured: string | undefined): Promise<string> {
  const own =
    captured === undefined || captured === '-'
      ? []
      : [relative(join(choices.folder, dirname(fixture)), resolve(captured))];
  return fixtureYaml(choices, await previewTests(choices, join(choices.folder, fixture), own));
}

/** What becomes of some calls with the mapping beside the fixture. @param captured payloads, as the fixture names them */
export async function previewTests({ kind, country }: InitChoices, fixture: string, captured: string[] = []) {
  const { previewFixture } = await import('@wrapup/fixtures');
  return previewFixture(fixture, `mapping: ${kind}.yaml\nsource: { default_country: ${country} }\n`, [
    ...captured.map((given) => ({ name: 'the captured call', given })),
    { name: 'a conversation', given: 'connected' },
    { name: 'a voicemail of an unknown number', given: 'voicemail' },
  ]);
}

function report({ folder, kind, connection }: InitChoices, files: string[], output: Output): void {
  const shown = relative(process.cwd(), folder) || '.';
  output.data({ folder, files, kind, connection });
  for (const name of files) output.line(`${output.style('green', 'wrote')} ${clean(join(shown, name))}`);
  output.line('');
  output.line('Next:');
  output.line(`  wrapup test ${clean(shown)}`);
  output.line(
    `  put the values of ${clean(join(shown, '.env.example'))} into .env, and WRAPUP_CONFIG=${clean(join(shown, 'wrapup.yaml'))}`,
  );
  output.line('  with SYNTHFLOW_API_KEY in it, calls whose webhook never came are found every ten minutes');
  output.line('  wrapup check');
  if (kind !== 'http') output.line('  wrapup doctor, then wrapup provision --plan');
}
