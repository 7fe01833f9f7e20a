/** Transcripts that integrations attach to calls. Nothing keeps a call from having several. */

export interface Utterance {
  id: string;
  speaker: { id: string; name: string; email?: string };
  text: string;
  languageCode: string;
  /** From the start of the call. */
  startTimeMillis: number;
  endTimeMillis: number;
}

export interface Transcript {
  id: string;
  /** Id of the call. */
  call: string;
  utterances: Utterance[];
  /** ISO 8601. */
  createdAt: string;
}

const FIRST_ID = 88_000_000_001;

export class Transcripts {
  readonly #byId = new Map<string, Transcript>();
  #next = FIRST_ID;

  get(id: string): Transcript | undefined {
    return this.#byId.get(id);
  }

  /** Of one call, in the order in which they came. */
  of(call: string): Transcript[] {
    return [...this.#byId.values()].filter((transcript) => transcript.call === call);
  }

  add(call: string, utterances: Omit<Utterance, 'id'>[]): Transcript {
    const id = String(this.#next++);
    const numbered = utterances.map((utterance, index) => ({ id: `${id}-${index + 1}`, ...utterance }));
    const transcript = { id, call, utterances: numbered, createdAt: new Date().toISOString() };
    this.#byId.set(id, transcript);
    return transcript;
  }

  remove(id: string): void {
    this.#byId.delete(id);
  }
}
