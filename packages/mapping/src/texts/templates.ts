/** Names of the texts that `body: { template: … }` puts together. */
export const BODY_TEMPLATES = ['call-summary', 'transcript'] as const;
export type BodyTemplate = (typeof BODY_TEMPLATES)[number];

/** How much of what was said goes into a body: nothing, the address of the recording, or that and every word. */
export const TRANSCRIPTS = ['none', 'link', 'full'] as const;
export type TranscriptPolicy = (typeof TRANSCRIPTS)[number];
