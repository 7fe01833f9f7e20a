/** Asks the server again while one types: after a pause, one question at a time, of which the older is given up. */

/** Milliseconds without a key. */
const PAUSE_MS = 350;
/** Characters of the form; a larger one is looked at when its button is pressed. */
const LARGEST = 400_000;

export interface Live {
  /** Something was typed. */
  changed(): void;
}

/** @param show puts an answer on the page @param say tells what keeps it from being the newest */
export function goLive(form: HTMLFormElement, show: (part: string) => void, say: (text: string) => void): Live {
  let pause: ReturnType<typeof setTimeout> | undefined;
  let asked: AbortController | undefined;

  async function ask(): Promise<void> {
    asked?.abort();
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === 'string') body.append(name, value);
    body.set('part', 'result');
    if (body.toString().length > LARGEST) return say('Too large to be looked at while you type: press Show the plan.');
    const mine = new AbortController();
    asked = mine;
    try {
      const answer = await fetch(form.action, { method: 'POST', body, redirect: 'error', signal: mine.signal });
      const text = await answer.text();
      if (mine.signal.aborted || answer.status === 409) return;
      // A page of its own says that one is signed out, or that Redis does not answer.
      if (answer.headers.get('x-part') === 'result') show(text);
      else say(`The server answered ${answer.status}: reload the page.`);
    } catch {
      if (!mine.signal.aborted) say('The server does not answer: the plan below is an older one.');
    }
  }

  return {
    changed() {
      clearTimeout(pause);
      pause = setTimeout(() => void ask(), PAUSE_MS);
    },
  };
}
