/**
 * Collected variables, in the two shapes that are documented: by name, or by agent id and then by name.
 * https://docs.synthflow.ai/webhooks, https://docs.synthflow.ai/changelog/2026/2/4
 */
import { type Collected, isObject, own } from '@wrapup/call';
import {
  cleanText,
  copyJson,
  dictionary,
  isRefusedKey,
  keysOf,
  MAX_MEMBERS,
  readBoolean,
  readObject,
} from '../parse/json.ts';
import type { Notes } from '../parse/notes.ts';

/**
 * One agent's name may be another's too: the last one that was really collected wins, because it was said last.
 */
export function readCollected(value: unknown, path: string, notes: Notes): { [name: string]: Collected } {
  const collected = dictionary<Collected>();
  const members = readObject(value, path, notes);
  if (!members) return collected;
  const add = (key: string, leaf: unknown, at: string, agentId?: string) => {
    const name = cleanText(key);
    if (isRefusedKey(name)) {
      notes.add(at, 'has a name that no mapping may read: left out');
      return;
    }
    const entry = readLeaf(leaf, `${at}.${name}`, notes, agentId);
    const before = collected[name];
    if (!before) collected[name] = entry;
    else {
      notes.add(`${at}.${name}`, 'was collected by more than one agent: the last value that was collected is used');
      if (entry.collected || !before.collected) collected[name] = entry;
    }
  };
  let left = MAX_MEMBERS;
  for (const key of keysOf(members, path, notes)) {
    const member = members[key];
    if (!isObject(member) || isLeaf(member)) add(key, member, path);
    else {
      const at = `${path}.${key}`;
      const names = keysOf(member, at, notes);
      // Of all agents together.
      for (const name of names.slice(0, left)) add(name, member[name], at, cleanText(key));
      left = Math.max(0, left - names.length);
    }
  }
  return collected;
}

/** A leaf has a value of its own; an agent that collected a variable named `value` has a leaf under that name. */
function isLeaf(member: { [key: string]: unknown }): boolean {
  const holds = (key: string) => {
    const inner = own(member, key);
    return (
      Object.hasOwn(member, key) &&
      !(isObject(inner) && (Object.hasOwn(inner, 'value') || Object.hasOwn(inner, 'collected')))
    );
  };
  return holds('value') || holds('collected');
}

function readLeaf(leaf: unknown, path: string, notes: Notes, agentId?: string): Collected {
  const whole = isObject(leaf) && isLeaf(leaf);
  const value = copyJson(whole ? (own(leaf, 'value') ?? null) : (leaf ?? null), path, notes) ?? null;
  const said = whole ? readBoolean(own(leaf, 'collected')) : undefined;
  if (!whole) notes.add(path, 'is a bare value, not {value, collected}: taken as collected');
  return { value, collected: said ?? value !== null, ...(agentId === undefined ? {} : { agent_id: agentId }) };
}
