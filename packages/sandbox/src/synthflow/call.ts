/** One call as the platform knows it. What each API and the webhook tell of it is in `shapes.ts`. */

export type VoiceValue = string | number | boolean | null;

export interface VoiceAgent {
  model_id: string;
  name: string;
  type: 'inbound' | 'outbound';
  phone_number: string;
  /** Where it sends what a call was, after its end. */
  external_webhook_url: string | null;
  /** Whom it asks, while the phone rings, who is calling. */
  inbound_call_webhook_url: string | null;
}

export interface VoiceCall {
  id: string;
  agent: VoiceAgent;
  lead: { name?: string; phone: string };
  prompt_variables: Record<string, VoiceValue>;
  /** What was answered before the call connected; it comes back with the call. */
  metadata?: Record<string, VoiceValue>;
  /** Epoch ms. */
  started: number;
  /** Seconds of conversation, as it will be or was. */
  duration: number;
  /** Milliseconds that it rang. */
  ringing: number;
  /** As the platform spells it: `ringing`, `in-progress`, `no-answer`, `left_voicemail`, … */
  status: string;
  end_call_reason: string | null;
  custom_end_call_reason: string | null;
  /** Turns: who, and what was said. */
  turns: ['bot' | 'human', string][];
  collected: Record<string, VoiceValue>;
  extracted: Record<string, VoiceValue>;
  /** Null when there was no one to be judged. */
  analysis: Record<string, string> | null;
  /** Epoch ms at which it ended in the sandbox's own time; absent while it goes on. */
  over?: number;
}

export function isOver(call: VoiceCall): boolean {
  return call.over !== undefined;
}
