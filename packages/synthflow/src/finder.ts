import { own } from './json.ts';
import type { Located } from './locate.ts';

/** Something that stands in the payload, and where. */
export interface Found {
  value: unknown;
  path: string;
}

/** Looks facts up under any of their names: in the call's own object first, then in the one around it. */
export type Find = (...names: string[]) => Found[];

/** Nulls and blank texts are no facts and are passed over. */
export function makeFind({ record, root, record_path, root_path }: Located): Find {
  return (...names) => {
    const found: Found[] = [];
    const look = (holder: unknown, prefix: string, name: string) => {
      const value = own(holder, name);
      if (value === undefined || value === null) return;
      if (typeof value === 'string' && value.length < 100 && value.trim() === '') return;
      found.push({ value, path: prefix + name });
    };
    for (const name of names) look(record, record_path, name);
    if (root !== record) for (const name of names) look(root, root_path, name);
    return found;
  };
}
