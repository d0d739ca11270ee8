import type { EspeakVoice } from './voices.ts';

/** One text for the espeak-ng process. Requests are answered in order. */
export interface EspeakRequest {
  readonly id: number;
  readonly text: string;
  readonly voice: EspeakVoice;
}

/** What the espeak-ng process sends: `ready` once, then one reply for each request. */
export type EspeakReply =
  | { readonly type: 'ready' }
  | { readonly type: 'speech'; readonly id: number; readonly pcm: Int16Array }
  | { readonly type: 'failed'; readonly id: number; readonly detail: string };
