import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { variablePrefix } from '@wrapup/call';
import type { Command } from 'commander';
import { requireName } from '../../connect/client-option.ts';
import { type GlobalOptions, loadSettings } from '../../connect/settings.ts';
import { clientYaml, fixtureYaml, mappingYaml } from '../../init/files.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { makeOutput } from '../../terminal/output.ts';
import { chooseInit, type InitOptions, previewTests } from '../mappings/init.ts';

/** The agency's own beginnings: `client.yaml` becomes the client's file, the others go into its folder. */
const TEMPLATE = '_template';

/** `wrapup client add`: the file of a client, what secrets it needs, and a test. */
export function addClientAdd(clients: Command): void {
  clients
    .command('add')
    .description('write the file of a new client, its mapping and a test, and name the secrets that it needs')
    .argument('<client>', 'small letters, digits and dashes: it is permanent')
    .option('--crm <kind>', 'hubspot, salesforce or http')
    .option('--preset <name>', 'what calls become: call-log, or another preset of the CRM')
    .option('--country <code>', 'country of numbers without a +, two capitals (default: US)')
    .addHelpText(
      'after',
      `\nWhere clients/${TEMPLATE}/ is there, its client.yaml becomes the client's file and its other files go into the client's folder;\n{{client}} stands for the name, {{CLIENT}} for the beginning of its variables. --crm leaves the template out. Nothing is overwritten.`,
    )
    .action(async (client: string, _options, command: Command) => {
      const options = command.optsWithGlobals<InitOptions>();
      const output = makeOutput(options.json ?? false);
      await requireName(client);
      const folder = await configFolderOf(options);
      const template = join(folder, 'clients', TEMPLATE);
      const { files, test }: Beginning =
        existsSync(template) && options.crm === undefined
          ? { files: fromTemplate(template, client) }
          : await fromKind(folder, client, options);
      const taken = [...Object.keys(files), ...(test ? [test.name] : [])].find((name) =>
        existsSync(join(folder, name)),
      );
      if (taken !== undefined) {
        throw new CliError(EXIT.failed, `${taken} is there already; nothing was written`, 'choose another name');
      }
      const file = `clients/${client}.yaml`;
      const { [file]: text = '', ...others } = files;
      for (const [name, content] of Object.entries(others)) write(join(folder, name), content);
      if (test) {
        const path = join(folder, test.name);
        files[test.name] = await test.make(path);
        write(path, files[test.name] as string);
      }
      // It comes last: what it names is there by then.
      write(join(folder, file), text);
      const { needed: variables, optional } = variablesIn(text);
      const { secretFolders } = await import('@wrapup/config');
      // The last of the folders is the one that clients' secrets come into.
      const token = keepToken(
        variables.find((name) => name.endsWith('_PATH_TOKEN')),
        secretFolders().at(-1),
      );
      output.data({ client, files: Object.keys(files), variables, ...(token.file && { path_token_file: token.file }) });
      const shown = relative(process.cwd(), folder) || '.';
      for (const name of Object.keys(files))
        output.line(`${output.style('green', 'wrote')} ${clean(join(shown, name))}`);
      output.line('');
      output.line(
        'It is taken over as soon as its variables are there, each in the environment or as a file in WRAPUP_SECRETS_DIR:',
      );
      for (const name of variables) output.line(`  ${name}${name === token.name ? ` ${token.says}` : ''}`);
      const api_key = optional.find((name) => name.endsWith('_API_KEY'));
      if (api_key !== undefined)
        output.line(`  ${api_key} (may be missing; with it calls whose webhook never came are found)`);
      output.line('');
      output.line('Next:');
      output.line('  wrapup check');
      output.line(`  wrapup test ${clean(join(shown, `clients/${client}`))}`);
      output.line(`  at Synthflow: https://<your host>/webhooks/${client}.main/<path token>/post-call`);
    });
}

interface Beginning {
  files: Record<string, string>;
  test?: { name: string; make(path: string): Promise<string> };
}

/** Folder of wrapup.yaml, which need not be without errors. */
async function configFolderOf(options: GlobalOptions): Promise<string> {
  const { files, findings } = await loadSettings(options);
  const root = findings.some(({ code }) => code === 'no-config')
    ? undefined
    : files.names.find((name) => /wrapup\.ya?ml$/.test(name));
  if (root !== undefined) return dirname(root);
  throw new CliError(
    EXIT.usage,
    'there is no wrapup.yaml',
    '`wrapup init` makes one; --config or WRAPUP_CONFIG names another',
  );
}

/** @returns files by their path from the folder of wrapup.yaml, and the test, which is made by running it once */
async function fromKind(folder: string, client: string, options: InitOptions): Promise<Beginning> {
  const own = join(folder, 'clients', client);
  const choices = { ...(await chooseInit(own, { ...options, source: 'main' })), mappings: '' };
  const { kind } = choices;
  return {
    files: {
      [`clients/${client}.yaml`]: clientYaml(choices, client),
      [`clients/${client}/${kind}.yaml`]: mappingYaml(choices),
    },
    test: {
      name: `clients/${client}/${kind}.test.yaml`,
      make: async (path) => fixtureYaml(choices, await previewTests(choices, path)),
    },
  };
}

function fromTemplate(template: string, client: string): Record<string, string> {
  const upper = variablePrefix(client);
  const fill = (text: string) => text.replaceAll('{{client}}', client).replaceAll('{{CLIENT}}', upper);
  const names = readdirSync(template, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [relative(template, join(entry.parentPath, entry.name))] : [],
  );
  if (!names.includes('client.yaml')) {
    throw new CliError(EXIT.failed, `${clean(template)} has no client.yaml`, 'it becomes the file of the client');
  }
  const texts = names
    .filter((name) => name !== 'client.yaml')
    .map((name) => [`clients/${client}/${fill(name)}`, fill(readFileSync(join(template, name), 'utf8'))] as const);
  return {
    [`clients/${client}.yaml`]: fill(readFileSync(join(template, 'client.yaml'), 'utf8')),
    ...Object.fromEntries(texts),
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { flag: 'wx' });
}

/** Variables in their order: those that must be there, and those that may be missing. */
function variablesIn(text: string): { needed: string[]; optional: string[] } {
  const found = [...text.matchAll(/\$\{([A-Z_][A-Z0-9_]*)(:-)?[^}]*\}/g)];
  const namesOf = (mark: string | undefined) => [
    ...new Set(found.flatMap(([, name, end]) => (name && end === mark ? [name] : []))),
  ];
  return { needed: namesOf(undefined), optional: namesOf(':-') };
}

/** Makes the path token where it can be put, so that no client is without one. */
function keepToken(
  name: string | undefined,
  folder: string | undefined,
): { name?: string; says?: string; file?: string } {
  if (name === undefined) return {};
  const token = randomBytes(16).toString('hex');
  if (!folder || !existsSync(folder)) return { name, says: `(for example ${token})` };
  const file = join(folder, name);
  if (existsSync(file)) return { name, says: '(there already)', file };
  try {
    writeFileSync(file, `${token}\n`, { flag: 'wx', mode: 0o600 });
  } catch {
    // A folder of secrets is mounted read-only where commands run in a container.
    return { name, says: `(for example ${token})` };
  }
  return { name, says: `(made: ${file})`, file };
}
