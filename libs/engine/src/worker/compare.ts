/** Shows what an attack changed. */
import type { CompareResult, CompareTask } from '../tasks.js';
import { imagesOf, pngsOf } from './images.js';

/** Grey stands for no change. */
const MIDDLE = 128;
/** The largest change is drawn this far from grey. */
const REACH = 120;

export async function compare({ manifest, original, adversarial }: CompareTask): Promise<CompareResult> {
  const clean = await imagesOf({ photos: [original], prepared: false }, manifest);
  const attacked = await imagesOf({ photos: [{ png: adversarial }], prepared: true }, manifest);
  let largest = 1;
  clean.bytes.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(attacked.bytes[i] - value));
  });
  const amplification = Math.max(1, Math.floor(REACH / largest));
  const difference = clean.bytes.map((value, i) => {
    const drawn = MIDDLE + (attacked.bytes[i] - value) * amplification;
    return Math.min(255, Math.max(0, drawn));
  });
  const [shown] = pngsOf(clean, manifest.input);
  const [changed] = pngsOf({ n: 1, bytes: difference }, manifest.input);
  return { original: shown, difference: changed, amplification };
}
