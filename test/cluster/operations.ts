/** Operations of a test, each in bytes of its own. */
import type { Operation } from "../../src/cluster/operation-log.ts";
import { deleted, RecordLayout, recordSize, writeRecord } from "../../src/cluster/record-layout.ts";

/** Without a value it deletes. */
export function operationOf(seq: number, key: string, value?: string): Operation {
  const bytes = new Uint8Array(recordSize(key, value ?? "", seq));
  writeRecord(bytes, 0, key, value ?? "", seq, value === undefined ? deleted : 0);
  return { bytes, at: 0, end: bytes.length };
}

export function seqOf({ bytes, at }: Operation): number {
  const layout = new RecordLayout();
  layout.read(bytes, at);
  return layout.seq;
}
