/**
 * Sixteen by sixteen images that small networks learn fast: spoofs have vertical stripes, live ones a bright disc
 * with depth. Attributes say which colour dominates and are known of live samples only.
 */
import { ATTRIBUTES } from '@facet/contracts';
import { Random } from '@facet/random';
import type { SampleBatch, Samples } from './samples.js';

const SIZE = 16;
const MAP = 2;

export function stripedSamples(n: number): Samples {
  return {
    n,
    channels: 3,
    height: SIZE,
    width: SIZE,
    get(indices): Promise<SampleBatch> {
      const count = indices.length;
      const pixels = new Float32Array(count * 3 * SIZE * SIZE);
      const attributes = new Float32Array(count * ATTRIBUTES.length);
      const depth = new Float32Array(count * MAP * MAP);
      const [live, types] = [new BigInt64Array(count), new BigInt64Array(count)];
      const onlyLive = new Float32Array(count);
      indices.forEach((index, at) => {
        const random = new Random(1, index);
        const spoof = index % 2;
        live[at] = BigInt(spoof);
        types[at] = BigInt(spoof * (1 + (index % 3)));
        onlyLive[at] = 1 - spoof;
        const colour = random.integer(3);
        attributes[at * ATTRIBUTES.length + colour] = 1;
        depth.fill(spoof ? 0 : 0.8, at * MAP * MAP, (at + 1) * MAP * MAP);
        for (let c = 0; c < 3; c++)
          for (let y = 0; y < SIZE; y++)
            for (let x = 0; x < SIZE; x++) {
              const disc = Math.hypot(x - 7.5, y - 7.5) < 6 ? 0.5 : 0.2;
              const stripe = spoof ? 0.25 * (x % 2) : 0;
              const tint = c === colour ? 0.2 : 0;
              pixels[((at * 3 + c) * SIZE + y) * SIZE + x] = disc + stripe + tint + 0.05 * random.uniform();
            }
      });
      const all = new Float32Array(count).fill(1);
      return Promise.resolve({
        pixels,
        labels: Uint8Array.from(indices, (index) => index % 2),
        targets: {
          live: { kind: 'classes', data: live },
          'spoof-type': { kind: 'classes', data: types },
          attributes: { kind: 'multi-label', data: attributes },
          depth: { kind: 'map', data: depth, height: MAP, width: MAP },
        },
        masks: { live: all, 'spoof-type': all, attributes: onlyLive, depth: all },
      });
    },
  };
}
