const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
};

/**
 * A number of bytes from text such as `25mb`, `512 KB` or `1048576`; a kB is 1024 bytes.
 * @param name of the setting, for the message
 * @throws Error when it is no size, or zero
 */
export function parseSize(name: string, text: string): number {
  const [, number = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*?)(?:ib)?\s*$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (number === '' || !Number.isSafeInteger(bytes) || bytes < 1) {
    throw new Error(`${name} is "${text}", which is no size: give bytes, or a number with KB, MB or GB, such as 25 MB`);
  }
  return bytes;
}

/** `25 MB (26214400 bytes)`. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1024 ** 3],
    ['MB', 1024 ** 2],
    ['KB', 1024],
  ] as const) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit} (${bytes} bytes)`;
  }
  return `${bytes} bytes`;
}
