/** A mapping as edited, written in place of the file that is in force. */
import { compileEdited, errorsWith, isOwnMapping, type MappingRefusal, writeMapping } from '@wrapup/config';
import type { Request, Response } from 'express';
import type { PageNotice } from '../../pages/layout.ts';
import { ask } from '../../queries/ask-redis.ts';
import { scopeOf } from '../../security/client-scope.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noteAction, operatorOf } from '../operator.ts';
import type { OnBench, Worked } from './work.ts';

interface WriteOutcome {
  status: number;
  notice: PageNotice;
  /** Of the file now, where it was written. */
  digest?: string;
}

/** Whether the operator may change the mapping: who is bound to a client, only what is that client's alone. */
export function mayWrite(response: Response, { place }: OnBench['bench']): boolean {
  const { client, isBound } = scopeOf(response);
  return place !== undefined && isOwnMapping(place, isBound ? client : undefined);
}

const REFUSED: Record<MappingRefusal, string> = {
  changed:
    'The file has changed since it was opened here, and was left alone. Download the mapping, open it again, and put the changes in.',
  link: 'The file is a link, or lies behind one, and was left alone.',
  gone: 'The file is not there any more. Nothing was written.',
  not_writable:
    'The file could not be written: the folder of the configuration is mounted read-only, or is not this process’s to write.',
};

/** @param digest of the text that was opened @throws Unavailable where it cannot be noted: nothing is written then */
export async function writeEdited(
  { store, log, latest }: Pick<HandlerParts, 'store' | 'log' | 'latest'>,
  request: Request,
  response: Response,
  { bench, text }: OnBench,
  { worked, digest }: { worked: Worked; digest: string },
): Promise<WriteOutcome> {
  const { place } = bench;
  const refuse = (status: number, said: string): WriteOutcome => ({ status, notice: { kind: 'bad', text: said } });
  if (!place || text === undefined) return refuse(404, REFUSED.gone);
  if (!mayWrite(response, bench))
    return refuse(403, 'Other clients share this mapping: a login of one client does not change it.');
  if (worked.hash === undefined) return refuse(422, 'The mapping has errors, and was not written.');
  const errors = await errorsWith(place, text, 'dashboard');
  if (errors.length > 0) {
    const more = errors.slice(0, 5).map(({ message, at }) => (at ? `${at.file}:${at.line}: ${message}` : message));
    return refuse(422, `It was not written, as the configuration would have errors with it: ${more.join('; ')}`);
  }
  const { path, client } = place;
  const written = await writeMapping(place, text, digest, async (now) => {
    const before = compileEdited(place, now).mapping?.hash;
    const hash = { ...(before === undefined ? {} : { before }), after: worked.hash as string };
    const what = { action: 'change mapping' as const, target: path, hash, ...(client === undefined ? {} : { client }) };
    await ask(store, () => store.audit.note(operatorOf(request, response), what));
  });
  const done = 'refused' in written ? written.refused : 'written';
  noteAction(log, request, response, { action: 'change mapping', mapping: path, hash: worked.hash, done });
  if ('refused' in written) return refuse(409, REFUSED[written.refused]);
  const { broken } = await latest();
  const taken = broken
    ? 'It is not in force: wrapup.yaml has errors.'
    : 'This process has taken it over; workers do so within seconds.';
  return {
    status: 200,
    digest: written.digest,
    notice: { kind: 'good', text: `Written to ${path}; as it was: ${written.backup}. ${taken}` },
  };
}
