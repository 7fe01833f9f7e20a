import { attemptsOf } from '@wrapup/config';
import { type BulkRun, itemsOfRun, runBulk } from '@wrapup/queue';
import type { Request, Response } from 'express';
import { redirectTo } from '../../security/client-scope.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { type Counts, noticeNameOfRun } from '../notices.ts';
import { noteAction, operatorOf, orLate } from '../operator.ts';

export function countsOfRun(run: BulkRun): Counts {
  const { done, expired, refused = 0 } = run;
  return { done, of: itemsOfRun(run), gone: expired, refused };
}

/** Whether a run may be followed: within one client, only those of that client. */
export function isRunOf({ filter }: BulkRun, { client }: { client?: string | undefined }): boolean {
  return client === undefined || filter.client === client;
}

/**
 * Runs it in this process, and leads on when it is done, or after a moment to the page that follows it. It is logged when it begins
 * and when it is done.
 * @param noted what the log says it is about
 * @param toList the page of the list, with further parameters
 * @param toNext where it leads once it is done. Default: the list
 */
export async function followRun(
  { store, latest, log }: Pick<HandlerParts, 'store' | 'latest' | 'log'>,
  request: Request,
  response: Response,
  run: BulkRun,
  {
    noted,
    toList,
    toNext = toList,
  }: Record<'toList', (further: Record<string, string>) => string> & {
    noted: object;
    toNext?: (further: Record<string, string>) => string;
  },
): Promise<void> {
  const { id, state, action, of } = run;
  const { config, broken } = await latest();
  const line = { action: `${action} ${state}`, run: id, ...noted };
  const by = operatorOf(request, response);
  noteAction(log, request, response, { ...line, of });
  const how = { attempts: (route: string) => attemptsOf(config, route), config: config.hash, by };
  const work = runBulk(store, id, how).then(
    (ended) => {
      noteAction(log, request, response, { ...line, ...countsOfRun(ended) });
      return ended;
    },
    (error: unknown) => {
      log.warn({ ...line, err: error }, 'a run of many was interrupted; it can be resumed');
      return undefined;
    },
  );
  const ended = await orLate(work);
  if (ended === 'late') return redirectTo(response, toList({ run: id }));
  if (ended === undefined) return redirectTo(response, toList({ did: 'interrupted' }));
  redirectTo(response, toNext({ did: noticeNameOfRun(action, broken), run: id }));
}
