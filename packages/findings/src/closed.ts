import { z } from 'zod';

/** An object that knows all its keys, and says them when it is given another. */
export function closed<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? writeKnown(Object.keys(shape)) : undefined),
  });
}

const SEPARATOR = '\n';

function writeKnown(keys: string[]): string {
  return keys.join(SEPARATOR);
}

/** The keys that would have been right, from the message of an issue about unrecognised ones. */
export function readKnown(message: string): string[] {
  return message.split(SEPARATOR);
}
