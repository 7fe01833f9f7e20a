/** Under which names of `ctx.memory` something is kept of single calls and people. What is kept of accounts has names elsewhere. */
import type { Subject } from '@wrapup/destination';
import { digest, personMemories } from '@wrapup/destination/engine';

interface Keyed {
  object: string;
  key: string;
}

/** Id of a record that its account gives no unique key. */
export function recordIdMemory({ object, key }: Keyed): string {
  return `record-id:${object}:${digest(key)}`;
}

/** That such a record is about to be created. */
export function recordStartedMemory({ object, key }: Keyed): string {
  return `record-started:${object}:${digest(key)}`;
}

/** Whom a call's records were linked to before. @param call key of the call log */
export function previousMemory(call: string): string {
  return `former-person:${digest(call)}`;
}

/** All of them that may be of a person: see `DestinationKind.remembers`. */
export function memoriesOf(subject: Subject): string[] {
  return [
    ...personMemories(subject),
    ...subject.records.flatMap((record) => [recordIdMemory(record), recordStartedMemory(record)]),
    ...subject.calls.map(previousMemory),
  ];
}
