import { clientOf } from '@wrapup/call';
import type { DeliveryState, LedgerEntry } from '@wrapup/queue';
import type { ReplayPreview } from '@wrapup/recovery/replay-preview';
import type { Command } from 'commander';
import { findCall } from '../../calls/find-call.ts';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, remarkUnknownNames, requireClient, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { expired } from '../../show/explain.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { makeOutput } from '../../terminal/output.ts';
import { parseSince } from '../../terminal/parse-options.ts';

/** States of deliveries that are not queued. */
const FINISHED: DeliveryState[] = ['written', 'skipped', 'parked', 'dead', 'dropped'];

interface ReplayedItem {
  source: string;
  call_id: string;
  route: string;
  was: DeliveryState;
  replayed: boolean;
  /** With `--plan`: what the CRM says would change. */
  preview?: ReplayPreview;
}

interface ReplayOptions extends GlobalOptions {
  source?: string;
  route?: string;
  connection?: string;
  since?: number;
  plan?: boolean;
}

/** `wrapup replay`: delivers calls again, in any state, with the current mapping. */
export function addReplay(program: Command): void {
  addClientOption(
    program.command('replay').description('deliver calls again with the current mapping, also ones that were written'),
  )
    .argument('[call ids...]')
    .option('--source <name>', 'only calls of this source')
    .option('--route <name>', 'only deliveries on this route')
    .option('--connection <name>', 'only deliveries to this connection')
    .option('--since <when>', 'only calls received since: 2h, 3d, or a date', parseSince)
    .option('--plan', 'only list them, with what would change in the CRM and what stays since a colleague changed it')
    .addHelpText(
      'after',
      '\nRecords are written again under the same keys: what is there is updated, nothing is created twice.\nWhat a colleague changed since stays.\n`wrapup plan <call id>` shows what would change in one call.',
    )
    .action(async (ids: string[], _options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<ReplayOptions>());
      const output = makeOutput(options.json ?? false);
      if (ids.length === 0 && options.since === undefined) {
        throw new CliError(EXIT.usage, 'name what to replay: call ids, or --since with or without --route');
      }
      const config = await requireConfig(options, output, true);
      const [{ attemptsOf }, { QUEUED, ReplayPreviews }] = await Promise.all([
        import('@wrapup/config'),
        import('../../calls/preview-replays.ts'),
      ]);
      const items = await withStore(async (store) => {
        await requireClient(options, store);
        const client = options.client ?? (options.source && clientOf(options.source));
        const entries: AsyncIterable<LedgerEntry> | LedgerEntry[] =
          ids.length > 0
            ? await Promise.all(ids.map((id) => findCall(store, id, options)))
            : store.ledger.scan({ since: options.since ?? 0, ...(client ? { client } : {}) });
        const done: ReplayedItem[] = [];
        const previews = new ReplayPreviews({ store, config, remark: output.remark });
        for await (const entry of entries) {
          const { source, call_id } = entry;
          if (options.source !== undefined && source !== options.source) continue;
          for (const { route, connection, state } of entry.deliveries) {
            if (options.route !== undefined && route !== options.route) continue;
            if (options.connection !== undefined && connection !== options.connection) continue;
            const say = (verdict: string) => output.line(`${clean(call_id)} on ${clean(route)} (${state}): ${verdict}`);
            const item: ReplayedItem = { source, call_id, route, was: state, replayed: false };
            done.push(item);
            if (options.plan) {
              await previews.add(item, entry, (verdict, preview) => {
                if (preview) item.preview = preview;
                say(verdict);
              });
            } else if (!FINISHED.includes(state)) {
              say(QUEUED);
            } else {
              const did = await store.operations.replay(source, call_id, route, {
                attempts: attemptsOf(config, route),
                from: FINISHED,
                config: config.hash,
                by: operator(),
              });
              item.replayed = did === 'replayed';
              say(did === 'moved' ? QUEUED : did === 'expired' ? expired(call_id) : did);
            }
          }
        }
        await previews.flush();
        return done;
      });
      const replayed = items.filter((item) => item.replayed).length;
      if (items.length === 0) await remarkUnknownNames(options, output);
      output.data({ plan: options.plan ?? false, replayed, of: items.length, items });
      if (options.plan) {
        output.line(items.length === 1 ? '1 delivery' : `${items.length} deliveries`);
        const [first] = items;
        if (first)
          output.line(output.style('dim', `wrapup plan ${clean(first.call_id)} shows what would change in one`));
      } else output.line(`${replayed} of ${items.length} deliveries replayed`);
    });
}
