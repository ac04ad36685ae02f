/** Stanza head: what routing needs of an element, known without its tree. */
export interface Payload {
  readonly name: string;
  readonly namespace: string;
}

/** What is known of an element without its tree. */
export interface StanzaHead {
  readonly name: string;
  readonly namespace: string;
  readonly to: string | undefined;
  readonly from: string | undefined;
  readonly type: string | undefined;
  readonly payloads: readonly Payload[];
}
