/** Rich text as plain text: what a CRM renders as HTML is never put into our page as such. */

/** What a tag leaves behind: the end of a block a new line, the beginning of a list's item a new line and a bullet. */
const LEFT_BEHIND = new Map([
  ['br', '\n'],
  ['hr', '\n'],
  ['li', '\n• '],
  ...['p', 'div', 'ul', 'ol', 'tr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((tag): [string, string] => [
    `/${tag}`,
    '\n',
  ]),
]);
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

export function toPlainText(rich: string): string {
  let text = '';
  let at = 0;
  while (at < rich.length) {
    const open = rich.indexOf('<', at);
    const close = open === -1 ? -1 : rich.indexOf('>', open);
    if (close === -1) break;
    // A lone "<" is no tag.
    if (!/[a-z/!]/i.test(rich[open + 1] ?? '')) {
      text += rich.slice(at, open + 1);
      at = open + 1;
      continue;
    }
    text += rich.slice(at, open);
    const name = /^\/?[a-z0-9]+/i.exec(rich.slice(open + 1, open + 12))?.[0].toLowerCase() ?? '';
    text += LEFT_BEHIND.get(name) ?? '';
    at = close + 1;
  }
  return decode(text + rich.slice(at))
    .replace(/[ \t]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name) return NAMED[name.toLowerCase()] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
