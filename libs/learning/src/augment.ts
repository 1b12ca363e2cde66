/**
 * Augmentation of one image together with its maps. What is drawn for a sample follows from seed, epoch and the
 * sample's number alone, so a training that resumes sees the same images.
 */
import type { Random } from '@facet/random';
import type { SampleBatch, Target } from './samples.js';

export interface Augmentation {
  /** Whether half of the images are mirrored. */
  readonly flip: boolean;
  /** Largest shift in pixels, in both directions; what moves in at the edge repeats it. */
  readonly shift: number;
  /** Largest relative change of brightness; results are clipped to [0,1]. */
  readonly brightness: number;
}

export const DEFAULT_AUGMENTATION: Augmentation = { flip: true, shift: 3, brightness: 0.1 };

/** What happens to one image. */
export interface Change {
  readonly flip: boolean;
  /** Pixels to the right and down. */
  readonly dx: number;
  readonly dy: number;
  readonly gain: number;
}

export function drawChange(random: Random, { flip, shift, brightness }: Augmentation): Change {
  const draws = Array.from({ length: 4 }, () => random.uniform());
  const whole = (u: number): number => Math.floor(u * (2 * shift + 1)) - shift;
  return {
    flip: flip && draws[0] < 0.5,
    dx: whole(draws[1]),
    dy: whole(draws[2]),
    gain: 1 + brightness * (2 * draws[3] - 1),
  };
}

interface Plane {
  readonly height: number;
  readonly width: number;
}

/** Source positions along an axis, and the weight of the later of the two neighbours. */
function taps(
  size: number,
  shift: number,
  mirrored: boolean,
): { low: Int32Array; high: Int32Array; part: Float32Array } {
  const low = new Int32Array(size);
  const high = new Int32Array(size);
  const part = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const moved = Math.min(Math.max(i - shift, 0), size - 1);
    const from = mirrored ? size - 1 - moved : moved;
    low[i] = Math.floor(from);
    high[i] = Math.min(low[i] + 1, size - 1);
    part[i] = from - low[i];
  }
  return { low, high, part };
}

/** Moves planes in place; shifts that are no whole numbers interpolate linearly. */
function move(data: Float32Array, { height, width }: Plane, dx: number, dy: number, flip: boolean): void {
  if (dx === 0 && dy === 0 && !flip) return;
  const [x, y] = [taps(width, dx, flip), taps(height, dy, false)];
  const area = height * width;
  const source = new Float32Array(area);
  for (let start = 0; start < data.length; start += area) {
    source.set(data.subarray(start, start + area));
    for (let i = 0, at = start; i < height; i++) {
      // Not from arrays, which would be made for every value.
      const above = y.low[i] * width;
      const below = y.high[i] * width;
      const down = y.part[i];
      for (let j = 0; j < width; j++, at++) {
        const left = x.low[j];
        const right = x.high[j];
        const aside = x.part[j];
        const upper = source[above + left] + aside * (source[above + right] - source[above + left]);
        const lower = source[below + left] + aside * (source[below + right] - source[below + left]);
        data[at] = upper + down * (lower - upper);
      }
    }
  }
}

function brighten(data: Float32Array, gain: number): void {
  for (let i = 0; i < data.length; i++) data[i] = Math.min(1, Math.max(0, data[i] * gain));
}

/** Applies `changes`, one per sample, to a batch in place; maps move with their image, at their own resolution. */
export function augment(batch: SampleBatch, size: Plane, changes: readonly Change[]): void {
  const maps = Object.values(batch.targets).filter(
    (target): target is Extract<Target, { kind: 'map' }> => target.kind === 'map',
  );
  const part = (data: Float32Array, i: number): Float32Array =>
    data.subarray((i * data.length) / changes.length, ((i + 1) * data.length) / changes.length);
  changes.forEach(({ flip, dx, dy, gain }, i) => {
    const pixels = part(batch.pixels, i);
    move(pixels, size, dx, dy, flip);
    brighten(pixels, gain);
    for (const map of maps)
      move(part(map.data, i), map, (dx * map.width) / size.width, (dy * map.height) / size.height, flip);
  });
}
