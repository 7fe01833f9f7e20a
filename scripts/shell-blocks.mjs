/** The blocks for a shell in a text of Markdown: tests run what the documents show. */
export function shellBlocks(text) {
  return [...text.matchAll(/^( *)```sh\n([\s\S]*?)^\1```/gm)].map((found) => found[2]);
}
