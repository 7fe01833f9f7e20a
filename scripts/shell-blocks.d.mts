export function shellBlocks(text: string): string[];
