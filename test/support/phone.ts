/** A number of ten digits after +1 that is certainly valid: 201-2…, 202-2…, and so on; seven million of them. */
export function phoneOf(n: number): string {
  return `+1${201 + (Math.floor(n / 10_000) % 700)}${2_340_000 + (n % 10_000)}`;
}
