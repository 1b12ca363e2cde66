/**
 * Hooks on the gradient that make an attack carry over to other models: the gradient is taken of changed copies of
 * the image, brought back through the change, and blurred. What changes an image is drawn by its key and the step.
 */
import { Random } from '@facet/random';
import { borrow, giveBack } from '../memory.js';
import type { Slope } from './movers.js';
import { drawPlacement, place, placed, type Size } from './placement.js';

export interface Diversity {
  /** DI-FGSM (Xie et al., CVPR 2019): the share of steps at which an image is made smaller and padded. */
  readonly di?: number | undefined;
  /** TI-FGSM (Dong et al., CVPR 2019): side of the Gaussian kernel, three deviations wide, that gradients are blurred with. */
  readonly ti?: number | undefined;
  /** SI-FGSM (Lin et al., ICLR 2020): number of copies, each half as bright as the one before. */
  readonly si?: number | undefined;
}

/** Weights of a Gaussian over `side` pixels that ends three deviations from its middle; they sum to 1. */
export function gaussian(side: number): Float64Array {
  const radius = (side - 1) / 2;
  const weights = Float64Array.from({ length: side }, (_, i) =>
    Math.exp(-(((3 * (i - radius)) / radius) ** 2) / 2),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Planes [3, height, width] blurred along both axes, with zeros around them. */
export function blur(planes: Float32Array, { height, width }: Size, kernel: Float64Array): Float32Array {
  const radius = (kernel.length - 1) / 2;
  const along = (data: Float32Array, stride: number, length: number): Float32Array => {
    const out = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) {
      const at = Math.floor(i / stride) % length;
      let sum = 0;
      for (let k = Math.max(-radius, -at); k <= Math.min(radius, length - 1 - at); k++)
        sum += kernel[k + radius] * data[i + k * stride];
      out[i] = sum;
    }
    return out;
  };
  return along(along(planes, 1, width), width, height);
}

/**
 * The mean gradient over the copies. Values and scores are those of the last copies, of no image that could be stored.
 */
export function diverse({ di, ti, si = 1 }: Diversity, stage: number): Slope {
  const kernel = ti === undefined ? undefined : gaussian(ti);
  return async (attack, indices, points, step) => {
    const size: Size = attack.context;
    const { seed, keys } = attack.context;
    const placements = indices.map((index) => {
      if (di === undefined) return undefined;
      const random = new Random(seed, keys[index], 'di', stage, step);
      return random.uniform() < di ? drawPlacement(size, random) : undefined;
    });
    const total = borrow(indices.length * attack.size).fill(0);
    let last;
    for (let copy = 0; copy < si; copy++) {
      const copies = points.map((point, i) => {
        const darker = copy === 0 ? point : point.map((value) => value / 2 ** copy);
        const placement = placements[i];
        return placement === undefined ? darker : place(darker, size, placement);
      });
      last = await attack.gradient(indices, copies);
      for (const [i, placement] of placements.entries()) {
        const own = last.gradient.subarray(i * attack.size, (i + 1) * attack.size);
        const back = placement === undefined ? own : placed(own, size, placement);
        for (let j = 0; j < back.length; j++) total[i * attack.size + j] += back[j] / si;
      }
      giveBack(last.gradient);
    }
    if (kernel !== undefined)
      for (let i = 0; i < indices.length; i++) {
        const own = total.subarray(i * attack.size, (i + 1) * attack.size);
        own.set(blur(own, size, kernel));
      }
    return { ...last!, gradient: total };
  };
}
