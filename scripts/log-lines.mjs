/** Shows the JSON logs of several processes together, one short line each. */

const COLOURS = [36, 32, 35, 33];
const HIDDEN = new Set(['level', 'time', 'msg', 'pid', 'service']);
const WIDTH = 9;

/**
 * @param {number} index chooses the colour
 * @returns {(line: string) => string}
 */
export function makeLineFormat(name, index, { colours }) {
  const label = name.padEnd(WIDTH);
  const prefix = colours ? `\x1b[${COLOURS[index % COLOURS.length]}m${label}\x1b[0m` : label;
  return (line) => `${prefix} ${shorten(line)}`;
}

function shorten(line) {
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof entry?.msg !== 'string') return line;
  const details = Object.entries(entry)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${show(value)}`);
  const time = new Date(entry.time).toTimeString().slice(0, 8);
  const level = entry.level === 'info' ? '' : String(entry.level).toUpperCase();
  return [time, level, entry.msg, ...details].filter(Boolean).join(' ');
}

function show(value) {
  if (typeof value === 'string') return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  // Of an error, what it is and says; its stack is for the JSON logs.
  if (value?.message && value?.type) return `${value.type}: ${value.message}`;
  return JSON.stringify(value);
}

/** Calls `write` with each whole line of a stream. */
export function eachLine(stream, write) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.trim()) write(line);
  });
  stream.on('end', () => {
    if (rest.trim()) write(rest);
  });
}
