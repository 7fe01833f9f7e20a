import type { Config } from '@wrapup/config';
import type { Forgotten, LedgerEntry, Store } from '@wrapup/queue';
import type { Command } from 'commander';
import { clean } from '../clean.ts';
import { CliError, EXIT } from '../exit.ts';
import { findMentions, type Mention, mentionsEmail, mentionsPhone } from '../find-person.ts';
import { count, makeOutput } from '../output.ts';
import { makeProgress } from '../progress.ts';
import { type GlobalOptions, requireConfig } from '../settings.ts';
import { withStore } from '../store.ts';

interface ForgetOptions extends GlobalOptions {
  source?: string;
  plan?: boolean;
}

type Item = { source: string; call_id: string } & Partial<Forgotten>;

/** `wrapup forget`: what Wrapup keeps of a person, or of one call, is removed. */
export function addForget(program: Command): void {
  program
    .command('forget')
    .description('remove what is kept of a person: the payloads of their calls')
    .argument('<phone | email | call id>')
    .option('--source <name>', 'only calls of this source')
    .option('--plan', 'only say which')
    .addHelpText(
      'after',
      '\nCalls of a person are found in the payloads that are still kept. Deliveries that had not ended are given up.\nThe ledger keeps the call id, times and states. Records in the CRM are listed, and stay: remove them there.',
    )
    .action(async (given: string, _options, command: Command) => {
      const options = command.optsWithGlobals<ForgetOptions>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const progress = makeProgress(output, 'calls');
      const { by, items } = await withStore(async (store) => {
        let looked = 0;
        const total = await store.ledger.count();
        const found = await find(store, config, given.trim(), () => progress.show(++looked, total));
        const done: Item[] = [];
        for await (const { source, call_id } of found.entries) {
          if (options.source !== undefined && source !== options.source) continue;
          const forgotten = options.plan ? {} : await store.operations.forget(source, call_id);
          if (forgotten) done.push({ source, call_id, ...forgotten });
        }
        if (!options.plan) await forgetRest(store);
        return { by: found.by, items: done };
      });
      progress.end();
      output.data({ by, plan: options.plan ?? false, calls: items });
      for (const { call_id, payloads = 0, dropped = 0, records = [] } of items) {
        const what = options.plan
          ? 'would be forgotten'
          : `forgotten: ${count(payloads, 'payload')} removed, ${dropped} on the way or waiting given up`;
        output.line(`${clean(call_id)} ${what}`);
        for (const { object, id, url } of records) {
          output.line(`    stays in the CRM: ${clean(object)} ${clean(id)}${url ? `  ${clean(url)}` : ''}`);
        }
      }
      output.line(`${count(items.length, 'call')} ${options.plan ? 'would be forgotten' : 'forgotten'}`);
      if (items.length === 0) process.exitCode = EXIT.failed;
    });
}

type Found = { by: 'call id' | 'email' | 'phone'; entries: AsyncIterable<LedgerEntry> | LedgerEntry[] };

async function find(store: Store, config: Config, given: string, onCall: () => void): Promise<Found> {
  const ids = await store.ledger.find(given, Object.keys(config.sources));
  if (ids.length > 0) return { by: 'call id', entries: ids };
  const mentioned = (by: Found['by'], mentions: Mention) => ({ by, entries: findMentions(store, mentions, onCall) });
  if (given.includes('@')) return mentioned('email', mentionsEmail(given));
  const countries = Object.values(config.sources).flatMap((source) => source.default_country ?? []);
  const mentions = mentionsPhone(given, countries);
  if (mentions) return mentioned('phone', mentions);
  throw new CliError(EXIT.usage, 'that is no call id in the ledger, no e-mail address and no telephone number');
}

/** Answers about callers hold names: they are found anew. And what was removed leaves the disk too, where Redis may be told so. */
async function forgetRest(store: Store): Promise<void> {
  const { scanKeys } = await import('@wrapup/queue');
  for await (const key of scanKeys(store.redis, store.keys.callers)) await store.redis.del(key);
  const nodes = 'nodes' in store.redis ? store.redis.nodes('master') : [store.redis];
  for (const node of nodes) await node.bgrewriteaof().catch(() => {});
}
