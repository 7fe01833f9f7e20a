/**
 * Talk that does not repeat itself, so that compression gains no more on it than on a real transcript: words of a large
 * invented vocabulary, no sentence twice, and each word as often as its rank says, as words of every language are
 * (https://en.wikipedia.org/wiki/Zipf%27s_law). In a call of 18,000 characters that is some 700 different words.
 */
import { makeRandom, pick, type Random, upTo } from './random.ts';

const ONSETS = 'b c ch d f g h j k l m n p pl pr qu r s sh sl st t th tr v w wh y'.split(' ');
const VOWELS = 'a e i o u ai ea ee ie oo ou'.split(' ');
const CODAS = ['', '', '', 'b', 'ck', 'd', 'l', 'll', 'm', 'n', 'nd', 'ng', 'nt', 'r', 'rd', 's', 'st', 't', 'y'];

const WORDS = makeWords(1_200);

/** Turns of talk, `bot:` and `human:` in turn, of about so many characters. */
export function talk(characters: number, seed: number): string {
  const random = makeRandom(seed);
  let text = '';
  for (let turn = 0; text.length < characters; turn += 1) {
    text += `${turn % 2 === 0 ? 'bot' : 'human'}: ${sentence(random)}\n`;
  }
  return text.slice(0, characters);
}

function sentence(random: Random): string {
  const words = Array.from({ length: 4 + upTo(random, 20) }, () => WORDS[Math.floor(WORDS.length ** random()) - 1]);
  const text = words.join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${pick(random, ['.', '.', '.', '?', ','])}`;
}

/** Shortest first. */
function makeWords(count: number): string[] {
  const random = makeRandom(1);
  const words = new Set<string>();
  while (words.size < count) {
    let word = '';
    for (let syllables = 1 + upTo(random, 3); syllables > 0; syllables -= 1) {
      word += pick(random, ONSETS) + pick(random, VOWELS) + pick(random, CODAS);
    }
    words.add(word);
  }
  return [...words].sort((a, b) => a.length - b.length);
}
