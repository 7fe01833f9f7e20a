import type { Finding } from '@wrapup/findings';
import type { Command } from 'commander';
import { addClientOption, refuseUnknown } from '../../connect/client-option.ts';
import { nothingRunsHere, START_IT } from '../../connect/not-running.ts';
import { describeFindings, type GlobalOptions } from '../../connect/settings.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput } from '../../terminal/output.ts';
import { reportFixes } from './fix.ts';

interface CheckOptions extends GlobalOptions {
  strict?: boolean;
  show?: boolean;
  /** False under `--no-env`. */
  env?: boolean;
  upgrade?: boolean;
  fix?: boolean;
  dryRun?: boolean;
}

/** `wrapup check`: finds what is wrong with wrapup.yaml and its mappings, offline, and rewrites what can be rewritten. */
export function addCheck(program: Command): void {
  addClientOption(
    program.command('check').description('check wrapup.yaml, the files of clients and their mappings, offline'),
  )
    .option('--strict', 'exit 1 on warnings too')
    .option('--no-env', 'read no variable and miss none: what the files say is checked where no secret is, as in CI')
    .option('--upgrade', 'name the lines of mappings, too, that mean something else than in the version before')
    .option('--fix', 'rewrite mappings of earlier versions in the words of this one; comments and the rest stay')
    .option('--dry-run', 'with --fix: show what would change, and write nothing')
    .option('--show', 'show the configuration as it was understood, secrets masked')
    .addHelpText(
      'after',
      '\nExits 1 when there are errors; with --fix when some are left, or a file could not be written; with --dry-run when something would change.',
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CheckOptions>();
      const output = makeOutput(options.json ?? false);
      const { config, findings, files } = await loadChecked(options);
      const fixes = options.fix ? reportFixes(files, options.dryRun ?? false, output) : undefined;
      const errors = findings.filter(({ severity }) => severity === 'error').length;
      const warnings = findings.length - errors;
      const shown = config && options.show ? (await import('@wrapup/config')).describeConfig(config) : undefined;
      output.data({
        ok: errors === 0,
        errors,
        warnings,
        ...(config ? { file: config.file, hash: config.hash } : {}),
        findings,
        ...(fixes ? { fixes } : {}),
        ...(shown ? { config: shown } : {}),
      });
      for (const line of await describeFindings(findings, output)) output.line(line);
      if (shown) output.line(clean(JSON.stringify(shown), 1_000_000));
      if (nothingRunsHere() && findings.some(({ code }) => code === 'unset-variable')) output.remark(START_IT);
      const left = options.fix ? findings.filter(({ fix }) => fix).length : 0;
      if (left > 0)
        output.remark(
          `${count(left, 'line')} cannot be rewritten in place: change ${left === 1 ? 'it' : 'them'} by hand`,
        );
      const found = `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
      if (!config || errors > 0) output.line(output.style('red', found));
      else if (options.env === false) output.line(`${output.style('green', 'ok')} without variables: ${found}`);
      else {
        const { sources, connections, routes } = config;
        output.line(
          `${output.style('green', 'ok')}: ${count(Object.keys(sources).length, 'source')}, ${count(Object.keys(connections).length, 'connection')}, ${count(routes.length, 'route')}; ${found}`,
        );
      }
      const unfixed = fixes?.some(({ state }) => state !== 'written') ?? false;
      if (errors > 0 || unfixed || (options.strict && warnings > 0)) process.exitCode = EXIT.failed;
    });
}

/** The configuration and what was found; with `--client` as far as it concerns that client, with `--fix` as it would be then. */
async function loadChecked({ client, env, upgrade = false, fix = false, dryRun = false, config: file }: CheckOptions) {
  if (dryRun && !fix) throw new CliError(EXIT.usage, '--dry-run belongs to --fix', 'wrapup check --fix --dry-run');
  const { fixMappings, loadConfig, narrowConfig } = await import('@wrapup/config');
  const asked = { without_variables: env === false, tells_changes: upgrade, ...(file === undefined ? {} : { file }) };
  const { loaded, files } = fix ? await fixMappings(asked, client) : { loaded: await loadConfig(asked), files: [] };
  const { config: whole, findings: all, clientFindings } = loaded;
  // An error in wrapup.yaml keeps every file out of force.
  if (client === undefined || !whole) return { config: whole, findings: all, files };
  const findings: readonly Finding[] | undefined = clientFindings.get(client);
  if (!findings) return refuseUnknown(client, Object.keys(whole.clients));
  return { config: narrowConfig(whole, client), findings: [...findings], files };
}
