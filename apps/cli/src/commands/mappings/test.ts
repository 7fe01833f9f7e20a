import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileOutcome } from '@wrapup/fixtures';
import type { Command } from 'commander';
import { addClientOption, refuseUnknown } from '../../connect/client-option.ts';
import type { GlobalOptions } from '../../connect/settings.ts';
import { showFile } from '../../show/show-tests.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput } from '../../terminal/output.ts';

/** `wrapup test`: calls in, records out, as `*.test.yaml` files say. Works offline and writes nothing. */
export function addTest(program: Command): void {
  addClientOption(
    program
      .command('test')
      .description('run the tests of mappings: *.test.yaml, a call in, the records it becomes out'),
  )
    .argument('[paths...]', 'fixture files or folders (default: the folder of wrapup.yaml, or that of the client)')
    .option('--coverage', 'list the lines of the mappings that no test tries')
    .addHelpText('after', '\nExits 1 when a test fails or a file has mistakes, 2 when there is no test.')
    .action(async (paths: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { coverage?: boolean }>();
      const output = makeOutput(options.json ?? false);
      const { findFixtures, runFixtures } = await import('@wrapup/fixtures');
      if (options.client !== undefined && paths.length > 0)
        throw new CliError(EXIT.usage, 'name files or folders, or a client, not both');
      const asked = paths.length > 0 ? paths : [await testFolder(options)];
      for (const path of asked)
        if (!existsSync(path)) throw new CliError(EXIT.usage, `there is no file or folder ${path}`);
      const files = findFixtures(asked);
      if (files.length === 0)
        throw new CliError(
          EXIT.usage,
          `no *.test.yaml under ${asked.join(', ')}`,
          'write one beside the mapping, as docs/guide/testing-mappings.md shows',
        );
      const outcomes: FileOutcome[] = [];
      for (const file of files) {
        const outcome = runFixtures(file);
        outcomes.push(outcome);
        for (const line of await showFile(outcome, options.coverage ?? false, output)) output.line(line);
      }
      const tests = outcomes.flatMap((outcome) => outcome.tests);
      const failed = tests.filter(({ passed }) => !passed).length;
      const broken = outcomes.filter(({ findings }) => findings.some(({ severity }) => severity === 'error')).length;
      output.data({
        ok: failed + broken === 0,
        passed: tests.length - failed,
        failed,
        broken_files: broken,
        files: outcomes.map(({ tests: ran, ...rest }) => ({
          ...rest,
          tests: ran.map(({ produced, ...test }) => ({
            ...test,
            result: produced?.result,
            records: produced?.records,
          })),
        })),
      });
      const verdict = `${count(tests.length - failed, 'test')} passed, ${failed} failed`;
      const files_broken = broken > 0 ? `, ${count(broken, 'file')} with mistakes` : '';
      output.line(output.style(failed + broken > 0 ? 'red' : 'green', clean(`${verdict}${files_broken}`)));
      if (failed + broken > 0) process.exitCode = EXIT.failed;
    });
}

async function testFolder({ config, client }: GlobalOptions): Promise<string> {
  const { CLIENTS_FOLDER, configFileOf, listClients } = await import('@wrapup/config');
  const folder = dirname(configFileOf(config === undefined ? {} : { file: config }));
  if (client === undefined) return folder;
  const { clients } = listClients(folder);
  if (!clients.includes(client)) await refuseUnknown(client, clients);
  const own = join(folder, CLIENTS_FOLDER, client);
  if (existsSync(own)) return own;
  const hint = 'mappings that clients share have their tests beside them: `wrapup test` runs all';
  throw new CliError(EXIT.usage, `client ${client} has no folder of its own, and so no tests: ${own}`, hint);
}
