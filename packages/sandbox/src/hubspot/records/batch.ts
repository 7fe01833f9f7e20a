/**
 * How a batch accounts for its rows.
 *
 * Every input has a unique `objectWriteTraceId`   each row stands alone: 207 with `errors` beside `results`
 * otherwise                                        one bad row fails the request and nothing is written
 * ids that do not exist, in read and update        always 207, one entry for all of them
 *
 * https://developers.hubspot.com/docs/api-reference/error-handling
 */

import type { Reply } from '../../reply.ts';
import { asArray, asId, asObject, type HubSpotRequest } from '../http/endpoint.ts';
import { formatMoment, HUBSPOT_FORMS } from '../http/forms.ts';
import {
  type HubSpotRefusal,
  invalid,
  malformed,
  HubSpotRefusal as RefusalError,
  refusalItem,
} from '../http/refusal.ts';
import type { ObjectType } from '../schema/object-types.ts';

/** Inputs of one object batch. https://developers.hubspot.com/docs/guides/crm/using-object-apis */
export const MAX_INPUTS = 100;

export type Input = Record<string, unknown>;

/**
 * @param fields what an input may hold; anything else is refused, so that it never seems to have had an effect
 * @throws Refusal when there are none or too many
 */
export function inputsOf(call: HubSpotRequest, fields: string[], most = MAX_INPUTS): Input[] {
  const inputs = asArray(asObject(call.body, 'the body').inputs, '"inputs"').map((input) =>
    asObject(input, 'an input'),
  );
  if (inputs.length === 0) throw invalid('The request must have at least one input.');
  if (inputs.length > most) {
    throw invalid(`The batch has ${inputs.length} inputs; the maximum allowed is ${most}.`, {
      context: { limit: [String(most)] },
    });
  }
  for (const input of inputs) {
    const unknown = Object.keys(input).find((field) => !fields.includes(field));
    if (unknown !== undefined) throw malformed(`Unrecognized field "${unknown}", not one of: ${fields.join(', ')}`);
  }
  return inputs;
}

/** @throws Refusal when an id comes twice: the whole request fails then */
export function refuseDuplicates(ids: string[]): void {
  const twice = [...new Set(ids.filter((id, at) => ids.indexOf(id) !== at))];
  if (twice.length > 0) {
    throw invalid(`Duplicate IDs found in batch input: [${twice.join(', ')}]. IDs must be unique`, {
      context: { ids: twice },
    });
  }
}

export function traceIdOf(input: Input): string | undefined {
  return input.objectWriteTraceId === undefined ? undefined : asId(input.objectWriteTraceId, '"objectWriteTraceId"');
}

function standAlone(inputs: Input[]): boolean {
  const traceIds = inputs.map(traceIdOf);
  return traceIds.every(Boolean) && new Set(traceIds).size === traceIds.length;
}

/** The ids that a batch named and that are not there. */
export class Missing extends RefusalError {
  readonly ids: string[];

  constructor(type: ObjectType, ids: string[]) {
    super(
      `Could not get some ${type.singular.toUpperCase()} objects, they may be deleted or not exist. Check that ids are valid.`,
      { status: 404, category: 'OBJECT_NOT_FOUND', context: { ids } },
    );
    this.ids = ids;
  }
}

export interface BatchParts<Plan> {
  type: ObjectType;
  inputs: Input[];
  /** Status when all went well. */
  success: number;
  /** False: never 207 for a row that is refused. */
  mayBePartial?: boolean;
  /** Checks one row and says what to write; nothing may be written yet. @throws Refusal */
  plan(input: Input): Plan;
  /** Writes, and gives the row's result. */
  commit(plan: Plan): object;
}

/** Checks all rows, then writes those that are good. @throws Refusal when a bad row fails the request */
export function runBatch<Plan>(call: HubSpotRequest, parts: BatchParts<Plan>): Reply {
  const startedAt = new Date();
  const partial = parts.mayBePartial !== false && standAlone(parts.inputs);
  const plans: { input: Input; plan: Plan }[] = [];
  const refused: { input: Input; refusal: HubSpotRefusal }[] = [];
  for (const input of parts.inputs) {
    try {
      plans.push({ input, plan: parts.plan(input) });
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      if (!partial && !(error instanceof Missing)) throw wholeRefusal(call, error);
      refused.push({ input, refusal: error });
    }
  }
  const results = call.account.journal.during(call.n, () =>
    plans.map(({ input, plan }) => {
      const traceId = repeatsTraceIds(call) ? traceIdOf(input) : undefined;
      return { ...parts.commit(plan), ...(traceId !== undefined && { objectWriteTraceId: traceId }) };
    }),
  );
  return batchReply(call, {
    startedAt,
    results,
    errors: errorItems(call, parts.type, refused),
    success: parts.success,
  });
}

/** What v3 wrote says nothing of trace ids; only its errors name them. */
function repeatsTraceIds({ version }: HubSpotRequest): boolean {
  return !version.startsWith('v');
}

function wholeRefusal({ settings }: HubSpotRequest, refusal: HubSpotRefusal): HubSpotRefusal {
  const named = refusal.parts.existingId !== undefined && HUBSPOT_FORMS[settings.forms].existingId;
  return named ? new RefusalError(refusal.message.replace(/\. Existing ID: \d+$/, ''), refusal.parts) : refusal;
}

function errorItems(
  call: HubSpotRequest,
  type: ObjectType,
  refused: { input: Input; refusal: HubSpotRefusal }[],
): object[] {
  const traceIds = (inputs: Input[]) => inputs.map(traceIdOf).filter((id) => id !== undefined);
  const missing = refused.filter(({ refusal }) => refusal instanceof Missing);
  const others = refused.filter(({ refusal }) => !(refusal instanceof Missing));
  const items = others.map(({ input, refusal }) => refusalItem(refusal, call.settings.forms, traceIds([input])));
  if (missing.length > 0) {
    const ids = missing.flatMap(({ refusal }) => (refusal as Missing).ids);
    items.push(refusalItem(new Missing(type, ids), call.settings.forms, traceIds(missing.map(({ input }) => input))));
  }
  return items;
}

export interface BatchOutcome {
  startedAt: Date;
  results: object[];
  errors: object[];
  success: number;
}

/** Every second one first, then the others from behind: the reverse of two, and of more neither one order nor the other. */
function mixed<T>(results: T[]): T[] {
  return [...results.filter((_, at) => at % 2 === 1), ...results.filter((_, at) => at % 2 === 0).toReversed()];
}

/** The envelope of a batch answer. Results come in no promised order. */
export function batchReply(call: HubSpotRequest, { startedAt, results, errors, success }: BatchOutcome): Reply {
  return {
    status: errors.length > 0 ? 207 : success,
    body: {
      status: 'COMPLETE',
      results: call.settings.result_order === 'mixed' ? mixed(results) : results,
      ...(errors.length > 0 && { numErrors: errors.length, errors }),
      startedAt: formatMoment(startedAt),
      completedAt: formatMoment(new Date()),
    },
  };
}
