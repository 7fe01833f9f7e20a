import type { AuditAction, AuditEntry } from '@wrapup/queue';
import type { Command } from 'commander';
import { addClientOption } from '../../connect/client-option.ts';
import { type GlobalOptions, requireClient } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { makeOutput, type Output, table, when } from '../../terminal/output.ts';
import { parseCount, parseSince } from '../../terminal/parse-options.ts';

interface AuditOptions extends GlobalOptions {
  since?: number;
  until?: number;
  by?: string;
  action?: string;
  call?: string;
  limit: number;
}

/** `wrapup audit`: what operators did, newest first; with `--json` all of it as JSON lines, oldest first. */
export function addAudit(program: Command): void {
  addClientOption(
    program
      .command('audit')
      .description('what operators did: who, from where, when, on what; --json exports JSON lines'),
  )
    .option('--since <when>', 'only since then: 2h, 3d, or a date', parseSince)
    .option('--until <when>', 'only until then', parseSince)
    .option('--by <name>', 'only what this operator did')
    .option('--action <action>', 'only this one: replay, drop, pause, "look up" …')
    .option('--call <call id>', 'only what was done to this call')
    .option('--limit <n>', 'at most so many; with --json all of them', parseCount, 50)
    .addHelpText(
      'after',
      '\nKept as long as the ledger (retention.ledger). Under --json each line is one action, the oldest first.',
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<AuditOptions>();
      const output = makeOutput(options.json ?? false);
      const { client, since, until, by, call: call_id, limit } = options;
      const action = await readAction(options.action);
      const filter = { client, since, until, by, action, call_id };
      await withStore(async (store) => {
        await requireClient(options, store);
        if (output.json) return output.lines(mapTimes(store.audit.all(filter)));
        const { entries } = await store.audit.page(filter, { limit });
        await showAudit(entries, output);
      });
    });
}

/** @throws CliError for one that there is not */
async function readAction(text: string | undefined): Promise<AuditAction | undefined> {
  if (text === undefined) return undefined;
  const { AUDIT_ACTIONS } = await import('@wrapup/queue');
  const known = AUDIT_ACTIONS.find((one) => one === text.trim().toLowerCase());
  if (known) return known;
  throw new CliError(EXIT.usage, `no action is called "${clean(text, 40)}"`, `there are: ${AUDIT_ACTIONS.join(', ')}`);
}

/** A table of entries. */
export async function showAudit(entries: readonly AuditEntry[], output: Output): Promise<void> {
  if (entries.length === 0) return output.line('Nothing was done.');
  const { describeAudited } = await import('@wrapup/queue');
  const rows = entries.map((entry) => [
    ...[when(entry.at), entry.by, `${entry.via}, ${entry.from}`, entry.action, describeAudited(entry)],
  ]);
  for (const line of table(['WHEN', 'WHO', 'FROM', 'DID', 'ON WHAT'], rows)) output.line(line);
}

async function* mapTimes(entries: AsyncIterable<AuditEntry>): AsyncGenerator<object> {
  for await (const entry of entries) yield { ...entry, at: new Date(entry.at).toISOString() };
}
