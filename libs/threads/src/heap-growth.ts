/**
 * How far V8 lets a heap grow before it marks all of it, in every thread of the process. Left to itself it takes a thread that
 * makes few objects for one whose heap should stay small, and marks when heap and buffers have grown by 8 MB since the last time,
 * on up to four threads of its own: twice a second where images are attacked, a tenth of all CPU time
 * (docs/adr/0023-heaps-that-may-grow.md).
 */
import { setFlagsFromString } from 'node:v8';

/** Of what was alive at the last marking: a heap of 20 MB may become 60. The limit of the whole heap is another one, and stays. */
const GROWTH_PERCENT = 200;

export function letHeapsGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
