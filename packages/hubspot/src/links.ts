/** Links records to people and to each other, apart from their creation. Every link is accounted for. */
import { Failure, type RecordReceipt } from '@wrapup/destination';
import { asList, asObject, chunk, failJob, halvesOf, type Item } from '@wrapup/destination/delivery';
import { LINK_BATCH, linkRecords } from './client/api.ts';
import { asHubSpotFailure, failureOf } from './errors/classify.ts';
import { itemStatus, readVendorError } from './errors/vendor-error.ts';
import { unlinkFormer } from './former-links.ts';
import { labelAll } from './link-labels.ts';
import type { Session } from './session.ts';

export interface Written {
  item: Item;
  receipt: RecordReceipt;
}

interface Pair {
  from: string;
  to: string;
  item: Item;
}

/** Links records to their targets and notes them as written once all their links hold. */
export async function linkAll(session: Session, written: Written[]): Promise<void> {
  const pairs = new Map<string, Pair[]>();
  for (const { item, receipt } of written) {
    for (const target of item.targets) {
      const kind = `${item.record.object}>${target.object}`;
      pairs.set(kind, [...(pairs.get(kind) ?? []), { from: receipt.id, to: target.id, item }]);
    }
  }
  for (const [kind, all] of pairs) {
    const [from = '', to = ''] = kind.split('>');
    for (const part of chunk(all, LINK_BATCH)) await linkPart(session, from, to, part);
  }
  await labelAll(session, written);
  await unlinkFormer(session, written);
  for (const { item, receipt } of written) if (!item.job.outcome) item.job.records.set(item.record.name, receipt);
}

async function linkPart(session: Session, from: string, to: string, pairs: Pair[]): Promise<void> {
  const fail = (pair: Pair, failure: Failure) => failJob(pair.item.job, failure, pair.item.record.name);
  try {
    const plans = pairs.map(({ item }) => item.job.index);
    const body = asObject((await session.send(linkRecords(from, to, pairs), plans)).body);
    // A link holds in both directions, and may be told in either.
    const held = new Set(
      asList(body.results).flatMap((item) => {
        const result = asObject(item);
        const [one, other] = [String(asObject(result.from).id), String(asObject(result.to).id)];
        return [`${one}>${other}`, `${other}>${one}`];
      }),
    );
    const open = new Set(pairs.filter((pair) => !held.has(`${pair.from}>${pair.to}`)));
    const errors = asList(body.errors).map((item) => readVendorError(itemStatus(item), item));
    for (const error of errors) {
      const named = [...open].filter((pair) => error.ids.includes(pair.from) || error.ids.includes(pair.to));
      const guilty = named.length > 0 ? named : pairs.length === 1 ? [...open] : [];
      for (const pair of guilty) {
        open.delete(pair);
        fail(pair, failureOf(error, { doing: `link ${from} to ${to}` }));
      }
    }
    if (open.size > 0 && errors.length > 0 && pairs.length > 1) return await inHalves(session, from, to, [...open]);
    for (const pair of open)
      fail(pair, new Failure('unaccounted', `link ${from} to ${to}: HubSpot’s answer says nothing of this link.`));
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    const refused = failure.vendor !== undefined && failure.vendor.status < 409 && failure.next !== 'reauthenticate';
    if (pairs.length === 1 || !refused) {
      for (const pair of pairs) fail(pair, failure);
      return;
    }
    await inHalves(session, from, to, pairs);
  }
}

/** Repeating a link changes nothing, so the halves may hold some that stand already. */
async function inHalves(session: Session, from: string, to: string, pairs: Pair[]): Promise<void> {
  for (const half of halvesOf(pairs)) if (half.length > 0) await linkPart(session, from, to, half);
}
