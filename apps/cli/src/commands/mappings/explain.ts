import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { describeFindings, type GlobalOptions, loadSettings } from '../../connect/settings.ts';
import { explainedRows } from '../../show/show-mapping.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { makeOutput } from '../../terminal/output.ts';

/** `wrapup explain`: a mapping as it is in force, with where each line comes from. Asks and writes nothing. */
export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('show a mapping with all that it extends and all defaults, and where each line comes from')
    .argument('<mapping>', 'path of a mapping, name of a preset (hubspot/call-log), or name of a route')
    .option('--kind <kind>', 'hubspot, salesforce or http, where the mapping extends no preset that tells it')
    .addHelpText(
      'after',
      '\nThe text is a mapping of its own that does the same. Behind each line: how the field is written, then file and line.\nExits 1 when the mapping has errors.',
    )
    .action(async (wanted: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { kind?: string }>();
      const output = makeOutput(options.json ?? false);
      const [{ explainMapping }, { sortFindings }] = await Promise.all([
        import('@wrapup/mapping'),
        import('@wrapup/findings'),
      ]);
      const { source, folder, findings: unfound } = await find(wanted, options);
      const { explained, findings } = source ? explainMapping(source) : { explained: undefined, findings: unfound };
      const placed = findings.map((finding) => ({
        ...finding,
        ...(finding.at && { at: placeFrom(finding.at, folder) }),
      }));
      sortFindings(placed, wanted);
      output.data({
        ok: explained !== undefined,
        findings: placed,
        ...(explained && {
          mapping: explained.mapping.name,
          kind: explained.mapping.kind,
          hash: explained.mapping.hash,
          yaml: explained.lines.map(({ yaml }) => `${yaml}\n`).join(''),
          lines: explained.lines.map(({ field, from, ...line }) => ({ ...line, from: from ?? 'default', ...field })),
        }),
      });
      for (const line of await describeFindings(placed, output)) output.remark(line);
      if (explained) for (const row of explainedRows(explained, output)) output.line(row);
      else process.exitCode = EXIT.failed;
    });
}

/** What to do on a command line, where a file would say it otherwise. */
const HINTS: Record<string, string> = {
  'no-mapping': 'name a file from the folder that you are in, a preset such as hubspot/call-log, or a route',
  'unknown-kind': 'name it with --kind: hubspot, salesforce or http',
};

/** By its path or as a preset; else the mapping of a route of that name. */
async function find(wanted: string, options: GlobalOptions & { kind?: string }) {
  const { findMapping } = await import('@wrapup/fixtures');
  const at = { file: 'explain', line: 1, column: 1 };
  const named = (mapping: string, from: string, kind?: string) => findMapping({ from, mapping, kind, at });
  if (/\.ya?ml$/.test(wanted) || wanted.includes('/')) {
    const found = named(wanted, process.cwd(), options.kind);
    const [finding] = found.findings;
    if (found.source || finding?.at?.file !== at.file || /^(?!\.)[^/]+\/[^/.]+$/.test(wanted)) return found;
    throw new CliError(EXIT.usage, finding.message, options.kind === undefined ? HINTS[finding.code] : finding.hint);
  }
  const { config } = await loadSettings(options, true);
  const route = config?.routes.find(({ name }) => name === wanted);
  if (!config || !route) {
    const { suggest } = await import('@wrapup/findings');
    const hint = config
      ? suggest(
          wanted,
          config.routes.map(({ name }) => name),
        )
      : '`wrapup check` shows them';
    const message = config ? `there is no route ${wanted}` : 'wrapup.yaml has errors, so that no route is known';
    throw new CliError(EXIT.usage, message, hint);
  }
  return named(route.mapping.name, join(config.file, '..'), route.mapping.kind);
}

/** A person runs the command from somewhere else than the config folder. */
function placeFrom<At extends { file: string }>(at: At, folder: string): At {
  return at.file.startsWith('preset ') ? at : { ...at, file: relative(process.cwd(), join(folder, at.file)) };
}
