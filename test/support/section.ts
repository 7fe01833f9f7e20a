/** What a way of testing says on docs/reliability.md: the page itself is written by hand, and has places for figures. */
export interface Section {
  /** Rows of the table at the top: attack, size, violations, command, date. */
  inShort: string[][];
  /** Markdown by the name of its place. */
  blocks: Record<string, string>;
}

const PLACE = /(<!-- figures: (\S+) -->)[\s\S]*?(<!-- end of figures -->)/g;

/** @throws Error for a place that no section has figures for, and for figures that have no place */
export function fillPage(page: string, sections: readonly Section[]): string {
  const rows = sections.flatMap(({ inShort }) => inShort).map((cells) => `| ${cells.join(' | ')} |`);
  const head = ['| Attack | Size | Violations | Again | Run on |', '| --- | --- | ---: | --- | --- |'];
  const blocks = new Map(Object.entries({ short: [...head, ...rows].join('\n') }));
  for (const section of sections)
    for (const [name, text] of Object.entries(section.blocks)) blocks.set(name, text.trim());
  const placed = new Set<string>();
  const filled = page.replace(PLACE, (_, begin: string, name: string, end: string) => {
    const text = blocks.get(name);
    if (text === undefined) throw new Error(`The page has a place for figures "${name}", and there are none.`);
    placed.add(name);
    return text === '' ? `${begin}\n${end}` : `${begin}\n${text}\n${end}`;
  });
  const left = [...blocks.keys()].filter((name) => !placed.has(name));
  if (left.length > 0) throw new Error(`The page has no place for the figures ${left.join(', ')}.`);
  return filled;
}
