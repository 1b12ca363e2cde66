/** An image made smaller by bilinear interpolation and put somewhere on black, and the adjoint of that. */
import type { Random } from '@facet/random';

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Where each output row or column comes from: two neighbours and the share of the second; -1 for the black around. */
interface Axis {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly share: Float32Array;
}

export interface Placement {
  readonly rows: Axis;
  readonly columns: Axis;
}

/** The smallest side that an image is brought to, as a share of its own. */
const SMALLEST = 0.9;

/** `inner` output positions from `offset` on, over an input of `length`; pixel centres correspond. */
function axis(length: number, inner: number, offset: number): Axis {
  const from = new Int32Array(length).fill(-1);
  const [to, share] = [new Int32Array(length), new Float32Array(length)];
  for (let i = 0; i < inner; i++) {
    const at = Math.min(length - 1, Math.max(0, ((i + 0.5) * length) / inner - 0.5));
    from[offset + i] = Math.floor(at);
    to[offset + i] = Math.min(length - 1, Math.floor(at) + 1);
    share[offset + i] = at - Math.floor(at);
  }
  return { from, to, share };
}

/** A side from nine tenths of the image's to all of it, somewhere inside. */
export function drawPlacement({ height, width }: Size, random: Random): Placement {
  const scale = SMALLEST + (1 - SMALLEST) * random.uniform();
  const drawn = (length: number): Axis => {
    const inner = Math.max(1, Math.round(length * scale));
    return axis(length, inner, random.integer(length - inner + 1));
  };
  return { rows: drawn(height), columns: drawn(width) };
}

/** Calls `visit` with every output pixel of one plane that is not black, and its four sources with their weights. */
function eachPixel(
  { height, width }: Size,
  { rows, columns }: Placement,
  visit: (out: number, sources: readonly number[], weights: readonly number[]) => void,
): void {
  for (let y = 0; y < height; y++) {
    if (rows.from[y] < 0) continue;
    const [top, bottom, down] = [rows.from[y] * width, rows.to[y] * width, rows.share[y]];
    for (let x = 0; x < width; x++) {
      if (columns.from[x] < 0) continue;
      const [left, right, across] = [columns.from[x], columns.to[x], columns.share[x]];
      visit(
        y * width + x,
        [top + left, top + right, bottom + left, bottom + right],
        [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across],
      );
    }
  }
}

/** Planes [3, height, width] as they look in their place. */
export function place(planes: Float32Array, size: Size, placement: Placement): Float32Array {
  const out = new Float32Array(planes.length);
  const area = size.height * size.width;
  eachPixel(size, placement, (at, sources, weights) => {
    for (let c = 0; c < planes.length; c += area)
      out[c + at] = sources.reduce((sum, source, k) => sum + weights[k] * planes[c + source], 0);
  });
  return out;
}

/** The gradient of the image, given that of the image in its place. */
export function placed(gradient: Float32Array, size: Size, placement: Placement): Float32Array {
  const out = new Float32Array(gradient.length);
  const area = size.height * size.width;
  eachPixel(size, placement, (at, sources, weights) => {
    for (let c = 0; c < gradient.length; c += area)
      sources.forEach((source, k) => (out[c + source] += weights[k] * gradient[c + at]));
  });
  return out;
}
