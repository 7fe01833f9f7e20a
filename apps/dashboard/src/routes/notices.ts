import type { BulkAction, DeliveryState } from '@wrapup/queue';
import type { Request } from 'express';
import type { PageNotice } from '../pages/layout.ts';
import { queryOf } from './request.ts';

/** What the page says after an action redirected the browser to it. The address names one of these texts and holds none. */
const NOTICES = {
  replayed: { kind: 'good', text: 'Queued again, with the current mapping.' },
  replayed_before: {
    kind: 'bad',
    text: 'Queued again, but with the previous configuration: the current files have errors, which `check` lists.',
  },
  on_its_way: { kind: 'note', text: 'Queued again, and on its way. This page follows it.' },
  replay_written: { kind: 'good', text: 'Replayed: it is written.' },
  replay_skipped: { kind: 'note', text: 'Replayed: the mapping says that nothing is to be written.' },
  replay_parked: { kind: 'bad', text: 'Replayed, and parked again: the reason is below.' },
  replay_dead: { kind: 'bad', text: 'Replayed, and given up again: the reason is below.' },
  dropped: { kind: 'good', text: 'Dropped. The reason is in the ledger.' },
  moved: { kind: 'note', text: 'Nothing was changed: its state has changed meanwhile, and is shown as it is now.' },
  expired: {
    kind: 'bad',
    text: 'Nothing was changed: the payload has expired or was removed. `backfill --call` and the id of the call fetches it again from Synthflow.',
  },
  no_candidate: { kind: 'bad', text: 'Nothing was changed: that person is not one of the candidates.' },
  only_said: {
    kind: 'bad',
    text: 'Nothing was changed: the number or address was only said, so that no later call is chosen by it. Choose for this call alone.',
  },
  paused: { kind: 'good', text: 'Paused. What is under way is still written; everything else is kept.' },
  resumed: { kind: 'good', text: 'Resumed.' },
  probing: {
    kind: 'note',
    text: 'It stopped itself, so only an answer of the CRM resumes it: it is being probed now.',
  },
  wrong: { kind: 'bad', text: 'User or password is wrong.' },
  signed_out: { kind: 'good', text: 'Signed out.' },
  unsent: { kind: 'bad', text: 'The session has ended, so nothing was changed: sign in and press the button again.' },
  interrupted: {
    kind: 'bad',
    text: 'It was interrupted. What is done stays done; the rest can be resumed.',
  },
  line_interrupted: {
    kind: 'bad',
    text: 'It was interrupted. What is queued again stays so; replay the line once more for the rest.',
  },
  line_goes_on: {
    kind: 'note',
    text: 'They are being queued again, with the current mapping; that goes on behind this page, and the log says when it is done.',
  },
  reason: { kind: 'bad', text: 'Nothing was changed: dropping needs a reason.' },
} as const satisfies Record<string, PageNotice>;
export type NoticeName = keyof typeof NOTICES;

const AFTER_REPLAY = {
  written: 'replay_written',
  skipped: 'replay_skipped',
  parked: 'replay_parked',
  dead: 'replay_dead',
  queued: 'on_its_way',
  dropped: 'dropped',
} as const satisfies Record<DeliveryState, NoticeName>;

/** What has become of what was replayed. */
export function noticeOfReplay(state: DeliveryState): PageNotice {
  return NOTICES[AFTER_REPLAY[state]];
}

/** What a bulk action did. */
export interface Counts {
  done: number;
  of: number;
  /** Whose payload has expired. */
  gone: number;
  /** Whose candidates are others than who was chosen. */
  refused?: number;
}

const MANY: Record<string, string> = {
  replayed_many: 'queued again',
  replayed_many_before:
    'queued again, but with the previous configuration, as the files have errors, which `check` lists',
  dropped_many: 'dropped',
};

/** @param broken the files of the configuration have errors, so that a replay goes by an earlier one */
export function noticeNameOfRun(action: BulkAction, broken = false): string {
  if (action === 'drop') return 'dropped_many';
  return broken ? 'replayed_many_before' : 'replayed_many';
}

/** @param counts of a bulk action */
export function noticeOf(name: string | undefined, counts?: Counts): PageNotice | undefined {
  if (name === undefined) return undefined;
  if (Object.hasOwn(NOTICES, name)) return NOTICES[name as NoticeName];
  if (!counts || !Object.hasOwn(MANY, name)) return undefined;
  const { done, of, gone, refused = 0 } = counts;
  const moved = of - done - gone - refused;
  const rest = [
    gone > 0 && `${gone.toLocaleString('en-US')} have no payload left: backfill --call fetches a call again`,
    refused > 0 && `of ${refused.toLocaleString('en-US')} the person is no candidate`,
    moved > 0 && `${moved.toLocaleString('en-US')} had changed state meanwhile`,
  ].filter(Boolean);
  const text = `${done.toLocaleString('en-US')} of ${of.toLocaleString('en-US')} ${MANY[name]}${rest.length > 0 ? `; ${rest.join('; ')}` : ''}.`;
  return { kind: done === of && name !== 'replayed_many_before' ? 'good' : 'note', text };
}

/** The notice that the address names, with its counts. */
export function readNotice(request: Request): PageNotice | undefined {
  const [done, of, gone] = ['done', 'of', 'gone'].map((name) => Number(queryOf(request, name)) || 0);
  return noticeOf(queryOf(request, 'did'), { done: done ?? 0, of: of ?? 0, gone: gone ?? 0 });
}
