/**
 * Transfers and bookings among the executed actions, as facts of the call. How a transfer ends is documented
 * (https://docs.synthflow.ai/transfer-outcome-states); what a booking answers is not, and custom actions answer whatever
 * their server does, so names are looked for in every spelling, and what says nothing of a booking is none.
 */
import { type Action, type Booking, isObject, own, parsePhone } from '@wrapup/call';
import { parseNested, readText } from '../parse/json.ts';
import { readInstant, toIso } from '../parse/times.ts';
import { plainWord } from './statuses.ts';

/** Members under which a transfer names where it leads, in its answer and in its definition. */
export const TARGET_KEYS = [
  ...['transferred_to', 'transfer_to', 'phone_number', 'phone', 'number', 'to'],
  ...['sip_uri', 'destination', 'target'],
] as const;

const TRANSFER = /transfer/i;
const EXTRACTOR = /extract/i;
const FAILED =
  /fail|error|timeout|timed_out|busy|declin|reject|no_answer|not_answered|unavailable|not_available|no_slot|invalid/;

/** Whether an action hands the call on, by its type, or by its name where it has none. */
export function isTransfer(name: string, type: string | undefined): boolean {
  return TRANSFER.test(type ?? name);
}

const hasFailed = ({ status, error }: Action) =>
  error !== undefined || (status !== undefined && FAILED.test(plainWord(status)));

/** The last first, as far as the actions say when they ran. */
function newestFirst(actions: { [name: string]: Action }): [string, Action][] {
  return Object.entries(actions)
    .reverse()
    .sort(([, one], [, other]) => (other.at ?? '').localeCompare(one.at ?? ''));
}

/**
 * Where the last transfer led that did not fail: a number (+14155550123), a SIP address, or the name of the action where
 * neither is known. A transfer that says nothing of its end is a cold one, which ended the call.
 * @param targets where the definitions of transfers say that they lead, by the action's name
 */
export function readTransfer(
  actions: { [name: string]: Action },
  targets: { [name: string]: string },
  country: string | undefined,
): string | undefined {
  const done = newestFirst(actions).find(([name, action]) => isTransfer(name, action.type) && !hasFailed(action));
  if (!done) return undefined;
  const [name, action] = done;
  const target = readTarget(action.return_value) ?? own(targets, name);
  return target === undefined ? action.name : (parsePhone(target, country)?.e164 ?? target);
}

/** Longest text that is taken for a number or a SIP address. */
const LONGEST_TARGET = 200;

/** Where an answer or a definition says that a transfer leads. */
export function readTarget(value: unknown): string | undefined {
  for (const key of TARGET_KEYS) {
    const text = readText(own(value, key));
    if (text !== undefined && text.length <= LONGEST_TARGET) return text;
  }
  return undefined;
}

const BOOKING_TYPE = /book|appointment|calendar|cal_?com|calendly|schedul/i;
const BOOKING_NAME = /book|appointment|meeting|schedul/i;
const CANCEL = /cancel/i;
const MOVE = /re_?-?schedul|\bmove|_move|move_|change_(?:the_)?(?:appointment|booking|meeting)/i;
const DONE = /success|confirm|accept|book|creat|schedul|cancel|moved|updated/;

/** Answers nest what they say; the outermost that says something counts. */
const AROUND = ['data', 'booking', 'appointment', 'event', 'result', 'response', 'body'] as const;
const LEVELS = 3;

const IDS = ['booking_id', 'booking_uid', 'appointment_id', 'event_id', 'uid', 'id'];
const EARLIER_IDS = [
  ...['rescheduled_from_uid', 'reschedule_uid', 'from_reschedule', 'rescheduled_from_id'],
  ...['previous_booking_id', 'previous_appointment_id', 'previous_id', 'original_booking_id', 'original_id'],
];
const STARTS = ['starts_at', 'start_time', 'start', 'start_date_time', 'appointment_at', 'appointment_time', 'slot'];
const ENDS = ['ends_at', 'end_time', 'end', 'end_date_time'];
const EARLIER_STARTS = [
  'moved_from',
  'rescheduled_from',
  'previous_start_time',
  'previous_start',
  'original_start_time',
];
const TITLES = ['title', 'summary', 'subject'];
const PLACES = ['location', 'meeting_url', 'join_url', 'video_call_url', 'address'];

/**
 * The appointment that the call was about, as the actions say: the last that worked, else the last that failed. One that
 * was cancelled and another that was booked after it are one that was moved.
 */
export function readBooking(actions: { [name: string]: Action }): Booking | undefined {
  const found = newestFirst(actions).flatMap(([name, action]) => readOne(name, action) ?? []);
  const [last, ...before] = found.filter(({ status }) => status !== 'failed');
  if (!last) return found[0];
  const canceled = last.status === 'booked' ? before.find(({ status }) => status === 'canceled') : undefined;
  if (!canceled) return last;
  const { id = last.id, starts_at } = canceled;
  return {
    ...last,
    status: 'moved',
    ...(id === undefined ? {} : { id }),
    ...(starts_at === undefined ? {} : { moved_from: starts_at }),
  };
}

function readOne(key: string, action: Action): Booking | undefined {
  const { type = '', status = '' } = action;
  const name = `${key} ${action.name}`;
  if (EXTRACTOR.test(type) || isTransfer(key, type || undefined)) return undefined;
  if (!BOOKING_TYPE.test(type) && !BOOKING_NAME.test(name)) return undefined;
  const answers = nested(action.return_value);
  const id = first(answers, IDS, readText);
  const earlier = first(answers, EARLIER_IDS, readText);
  const starts_at = first(answers, STARTS, readMoment);
  const ends_at = first(answers, ENDS, readMoment);
  const moved_from = first(answers, EARLIER_STARTS, readMoment);
  const title = first(answers, TITLES, readText);
  const place = first(answers, PLACES, readText);
  const said = plainWord(status);
  const failed = hasFailed(action);
  // A look-up of free times names neither an appointment nor that one was made.
  if (!failed && id === undefined && starts_at === undefined && !DONE.test(said)) return undefined;
  const cancels = CANCEL.test(said) || (CANCEL.test(name) && !MOVE.test(name));
  const moves = earlier !== undefined || moved_from !== undefined || MOVE.test(said) || MOVE.test(name);
  const known = earlier ?? id;
  return {
    status: failed ? 'failed' : cancels ? 'canceled' : moves ? 'moved' : 'booked',
    action: action.name,
    ...(known === undefined ? {} : { id: known }),
    ...(starts_at === undefined ? {} : { starts_at }),
    ...(ends_at === undefined ? {} : { ends_at }),
    ...(moved_from === undefined ? {} : { moved_from }),
    ...(title === undefined ? {} : { title }),
    ...(place === undefined ? {} : { place }),
  };
}

/** The answer, and what it has around what it says. */
function nested(value: unknown): { [key: string]: unknown }[] {
  const all: { [key: string]: unknown }[] = [];
  let level = [value];
  for (let depth = 0; depth < LEVELS; depth++) {
    const objects = level.map((one) => parseNested(one).value).filter(isObject);
    all.push(...objects);
    level = objects.flatMap((one) => AROUND.flatMap((key) => own(one, key) ?? []));
  }
  return all;
}

/** Names without what separates their words: `startTime` and `start_time` are one. */
const bare = (name: string) => name.replace(/[\s_-]/g, '').toLowerCase();

function first(
  answers: { [key: string]: unknown }[],
  names: readonly string[],
  read: (value: unknown) => string | undefined,
): string | undefined {
  for (const answer of answers) {
    const members = new Map(Object.keys(answer).map((key) => [bare(key), key]));
    for (const name of names) {
      const key = members.get(bare(name));
      const value = key === undefined ? undefined : read(own(answer, key));
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

/** UTC where the time names its offset; else as it came, for the mapping knows the zone. Calendars wrap it in an object. */
function readMoment(value: unknown): string | undefined {
  const given = isObject(value) ? (own(value, 'dateTime') ?? own(value, 'date_time') ?? own(value, 'time')) : value;
  const instant = readInstant(given);
  if (!instant) return undefined;
  return instant.naive ? readText(given) : toIso(instant.ms);
}
