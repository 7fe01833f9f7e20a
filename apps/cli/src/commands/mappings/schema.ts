import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Config, Connection } from '@wrapup/config';
import type { Command } from 'commander';
import { addClientOption, nameInFull } from '../../connect/client-option.ts';
import {
  type ConnectionError,
  chooseConnections,
  explainFailure,
  showFailure,
  useDestination,
} from '../../connect/destinations.ts';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { clean } from '../../terminal/clean.ts';
import { EXIT, type ExitCode } from '../../terminal/exit.ts';
import { count, makeOutput, type Output } from '../../terminal/output.ts';

interface Pulled {
  connection: string;
  /** Where it was written. */
  file?: string;
  /** Properties by object. */
  objects: Record<string, number>;
  notes: string[];
  /** Mappings whose first line names it now. */
  used_by: string[];
  error?: ConnectionError;
}

/** `wrapup schema pull`: what an editor completes becomes the account's own. Writes nothing to the CRM. */
export function addSchema(program: Command): void {
  const schema = program.command('schema').description('what editors complete in mappings');
  addClientOption(
    schema
      .command('pull')
      .description('save the account’s own properties and options, so that the editor completes them'),
  )
    .argument('[connection]', 'default: all that have some')
    .option('--use', 'name the saved schema in the first line of the mappings of that connection')
    .action(async (given: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { use?: boolean }>();
      const name = given && nameInFull('connection', given, options.client);
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const results: Pulled[] = [];
      let worst: ExitCode = EXIT.ok;
      for (const connection of chooseConnections(config, name)) {
        const { result, exit } = await pull(connection, config, options.use ?? false);
        worst = Math.max(worst, exit) as ExitCode;
        if (!result) continue;
        results.push(result);
        show(result, config, options.use ?? false, output);
      }
      output.data(results);
      process.exitCode = worst;
    });
}

async function pull(
  connection: Connection,
  config: Config,
  use: boolean,
): Promise<{ result?: Pulled; exit: ExitCode }> {
  const [{ KINDS }, { mappingEditorSchema }] = await Promise.all([import('@wrapup/config'), import('@wrapup/mapping')]);
  const dialect = KINDS[connection.kind]?.dialect;
  if (!dialect) return { exit: EXIT.failed };
  const { mappingsOf } = await import('@wrapup/config');
  const mappings = mappingsOf(config, connection.name);
  const own = mappings.flatMap(({ fields }) => fields.map(({ object }) => object));
  const shipped = Object.values(dialect.records).flatMap(({ object, any_object }) => (any_object ? [] : [object]));
  const objects = [...new Set([dialect.person.object, ...shipped, ...own])];
  const result: Pulled = { connection: connection.name, objects: {}, notes: [], used_by: [] };
  const note = (line: string) => result.notes.push(line);
  try {
    const description = await useDestination(connection, note, (destination, context) =>
      destination.describe ? destination.describe(objects, context()) : Promise.resolve(undefined),
    );
    if (!description) return { exit: EXIT.ok };
    const folder = dirname(config.file);
    result.file = join(folder, 'schema', `${connection.name}.schema.json`);
    description.notes.forEach(note);
    for (const [object, fields] of Object.entries(description.objects)) result.objects[object] = fields.length;
    mkdirSync(dirname(result.file), { recursive: true });
    writeFileSync(result.file, `${JSON.stringify(mappingEditorSchema(dialect, description.objects), null, 2)}\n`);
    if (use) for (const { name } of mappings) if (nameIn(join(folder, name), result.file)) result.used_by.push(name);
    return { result, exit: EXIT.ok };
  } catch (error) {
    const failure = explainFailure(error);
    return { result: { ...result, error: failure.error }, exit: failure.exit };
  }
}

const MODELINE = /^# yaml-language-server: \$schema=.*$/m;

function lineFor(mapping: string, schema: string): string {
  return `# yaml-language-server: $schema=${relative(dirname(mapping), schema).split(sep).join('/')}`;
}

/** Puts the line at the top of a mapping, or in place of the one that is there. */
function nameIn(mapping: string, schema: string): boolean {
  let text: string;
  try {
    text = readFileSync(mapping, 'utf8');
  } catch {
    return false;
  }
  const line = lineFor(mapping, schema);
  const named = MODELINE.test(text) ? text.replace(MODELINE, () => line) : `${line}\n${text}`;
  if (named !== text) writeFileSync(mapping, named);
  return true;
}

function show(result: Pulled, config: Config, use: boolean, output: Output): void {
  const { connection, file, objects, notes, used_by, error } = result;
  output.line(output.style('bold', clean(connection)));
  if (error) showFailure(error, output);
  if (!file) return;
  const all = Object.entries(objects).map(([object, number]) => `${clean(object)} ${number}`);
  output.line(`  ${count(Object.keys(objects).length, 'object')} with their properties: ${all.join(', ')}`);
  for (const note of notes) output.line(`  ${clean(note, 1000)}`);
  output.line(`  ${output.style('green', 'saved')} ${clean(relative(process.cwd(), file))}`);
  for (const name of used_by) output.line(`  ${clean(name)} names it in its first line now`);
  const example = join(dirname(config.file), 'mappings', 'x.yaml');
  if (!use) output.line(`  name it in the first line of a mapping, or pull with --use: ${lineFor(example, file)}`);
}
