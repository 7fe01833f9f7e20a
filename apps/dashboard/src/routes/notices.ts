import type { Notice } from '../pages/layout.ts';

/** What the page says after an action sent the browser there. Texts of ours only: the address names one of them. */
export const NOTICES = {
  replayed: { kind: 'good', text: 'Sent on its way again, with the mapping as it is now.' },
  replayed_before: {
    kind: 'bad',
    text: 'Sent on its way again, but with the configuration before: the files as they are now have errors, which `check` names.',
  },
  dropped: { kind: 'good', text: 'Dropped. The reason is in the ledger.' },
  moved: { kind: 'note', text: 'Nothing was changed: it has moved on meanwhile, and is shown as it is now.' },
  expired: {
    kind: 'bad',
    text: 'Nothing was changed: the payload has expired or was removed. `backfill --call` and the id of the call fetches it anew from Synthflow.',
  },
  paused: { kind: 'good', text: 'Paused. What is in hand is still written; everything else is kept.' },
  resumed: { kind: 'good', text: 'Resumed.' },
  probing: {
    kind: 'note',
    text: 'It stopped itself, so only an answer of the CRM lets it go on: it is being asked now.',
  },
  wrong: { kind: 'bad', text: 'User or password is wrong.' },
  signed_out: { kind: 'good', text: 'Signed out.' },
  unsent: { kind: 'bad', text: 'The session has ended, so nothing was changed: sign in and press the button again.' },
  interrupted: {
    kind: 'bad',
    text: 'It was interrupted. What is done stays done; what is left can be gone on with.',
  },
  reason: { kind: 'bad', text: 'Nothing was changed: dropping needs a reason.' },
} as const satisfies Record<string, Notice>;
export type NoticeName = keyof typeof NOTICES;

/** What came of a press for many. */
export interface Counts {
  done: number;
  of: number;
  /** Whose payload has expired. */
  gone: number;
}

const MANY: Record<string, string> = {
  replayed_many: 'sent on their way again',
  replayed_many_before:
    'sent on their way again, but with the configuration before, as the files have errors, which `check` names',
  dropped_many: 'dropped',
};

/** @param counts what is said of a press for many */
export function noticeOf(name: string | undefined, counts?: Counts): Notice | undefined {
  if (name === undefined) return undefined;
  if (Object.hasOwn(NOTICES, name)) return NOTICES[name as NoticeName];
  if (!counts || !Object.hasOwn(MANY, name)) return undefined;
  const { done, of, gone } = counts;
  const moved = of - done - gone;
  const rest = [
    gone > 0 && `${gone.toLocaleString('en-US')} have no payload left: backfill --call fetches a call anew`,
    moved > 0 && `${moved.toLocaleString('en-US')} had moved on meanwhile`,
  ].filter(Boolean);
  const text = `${done.toLocaleString('en-US')} of ${of.toLocaleString('en-US')} ${MANY[name]}${rest.length > 0 ? `; ${rest.join('; ')}` : ''}.`;
  return { kind: done === of && name !== 'replayed_many_before' ? 'good' : 'note', text };
}
