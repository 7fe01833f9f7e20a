/**
 * Executed actions, and what information extractors among them found out.
 *
 * `return_value` is documented as an object and seen as JSON text; extractor actions are named `info_extractor_<id>`
 * today, `extract_info_<id>` before, or freely. https://docs.synthflow.ai/post-call-webhook
 */
import { type Action, isObject, type Json, type JsonObject, own } from '@wrapup/call';
import {
  cleanText,
  copyJson,
  dictionary,
  isNothing,
  isRefusedKey,
  keysOf,
  parseNested,
  readBoolean,
  readObject,
  readText,
} from '../parse/json.ts';
import type { Notes } from '../parse/notes.ts';
import { readInstant, toIso } from '../parse/times.ts';
import { isTransfer, readTarget } from './transfers-and-bookings.ts';

export interface Executed {
  actions: { [name: string]: Action };
  extracted: JsonObject;
  /** Where the definitions of transfers say that they lead, by the name of the action. */
  targets: { [name: string]: string };
}

/** Names that Synthflow generates for extractors, and the one word that all spellings of their type share. */
const EXTRACTOR_NAME = /^(?:extract_info|info_extractor)_/i;
const EXTRACTOR_TYPE = /extract/i;

export function readActions(value: unknown, path: string, notes: Notes): Executed {
  const actions = dictionary<Action>();
  const extracted = dictionary<Json>();
  const targets = dictionary<string>();
  for (const [name, item] of itemsOf(value, path, notes)) {
    const at = `${path}.${name}`;
    if (isRefusedKey(name)) notes.add(path, 'has a name that no mapping may read: left out');
    else if (!isObject(item)) notes.add(at, 'is not an object: left out');
    else {
      const action = readAction(name, item, at, notes);
      actions[name] = action;
      const target = isTransfer(name, action.type)
        ? readTarget(parseNested(own(item, 'parameters_hard_coded')).value)
        : undefined;
      if (target !== undefined) targets[name] = target;
      const isExtractor = action.type === undefined ? EXTRACTOR_NAME.test(name) : EXTRACTOR_TYPE.test(action.type);
      if (isExtractor) addExtracted(extracted, name, item, action.return_value ?? null, at, notes);
    }
  }
  return { actions, extracted, targets };
}

/** Actions by name; a list, which no document mentions, is read by each item's own name. */
function itemsOf(value: unknown, path: string, notes: Notes): [string, unknown][] {
  const parsed = parseNested(value).value;
  if (Array.isArray(parsed)) {
    return parsed.map((item, index) => [readText(own(item, 'name')) ?? `action_${index + 1}`, item]);
  }
  const members = readObject(parsed, path, notes) ?? {};
  return keysOf(members, path, notes).map((key) => [cleanText(key), members[key]]);
}

function readAction(name: string, item: { [key: string]: unknown }, path: string, notes: Notes): Action {
  const returned = parseNested(own(item, 'return_value'));
  if (returned.failed) notes.add(`${path}.return_value`, 'looks like JSON and is not: kept as text');
  const value = copyJson(returned.value ?? null, `${path}.return_value`, notes);
  const type = readText(own(item, 'action_type'));
  const status = readText(own(item, 'return_value_status')) ?? readText(own(returned.value, 'status'));
  const error = readText(own(item, 'error_message'));
  const relevant = readBoolean(own(item, 'is_relevant_action'));
  // The naive text and the epoch beside it are the same instant when the text is read as UTC.
  const at = readInstant(own(item, 'timestamp')) ?? readInstant(own(item, 'timestamp_datetime'));
  return {
    name: readText(own(item, 'name')) ?? name,
    ...(type === undefined ? {} : { type }),
    ...(value === undefined || isNothing(value) ? {} : { return_value: value }),
    ...(status === undefined ? {} : { status }),
    ...(error === undefined ? {} : { error }),
    ...(relevant === undefined ? {} : { relevant }),
    ...(at === undefined ? {} : { at: toIso(at.ms) }),
  };
}

/**
 * The field's name is the key inside the return value, else the extractor's identifier, else the action's name without
 * its generated prefix. Names are kept to the letter, trailing underscore and spaces included.
 */
function addExtracted(
  extracted: JsonObject,
  name: string,
  item: { [key: string]: unknown },
  returned: Json,
  path: string,
  notes: Notes,
): void {
  const hardCoded = parseNested(own(item, 'parameters_hard_coded')).value;
  const identifier = own(hardCoded, 'identifier');
  const outer = (typeof identifier === 'string' && cleanText(identifier)) || name.replace(EXTRACTOR_NAME, '') || name;
  const found: [string, Json][] = isObject(returned)
    ? (Object.entries(returned) as [string, Json][])
    : [[outer, returned]];
  for (const [field, value] of found) {
    if (isNothing(value) || isRefusedKey(field)) continue;
    if (Object.hasOwn(extracted, field))
      notes.add(path, 'found out a field that an earlier action had: the later value is used');
    extracted[field] = value;
  }
}
