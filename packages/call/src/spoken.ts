/** A name as people read it: `no_answer` is no answer, `ambiguous_person` ambiguous person. */
export function spoken(name: string): string {
  return name.replaceAll('_', ' ');
}
