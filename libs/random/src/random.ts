/**
 * Seeded randomness: the same numbers on every machine, for initial weights, shuffling, augmentation and attacks.
 *
 * A generator is named by a seed and a path (`new Random(7, 'weights', 'trunk.0')`), and paths are independent of
 * each other: what one part draws never shifts what another part sees, so adding a head leaves the trunk's
 * initial weights alone, and a training step's randomness follows from its number without replaying earlier ones.
 *
 * xoshiro128** 1.1 (Blackman and Vigna, 2018), its state filled by SplitMix32 from a hash of seed and path.
 */

/** Murmur3's 32-bit finaliser: every input bit reaches every output bit. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const GOLDEN = 0x9e3779b9;

function hash(seed: number, path: readonly (number | string)[]): number {
  let h = mix(seed ^ GOLDEN) ^ mix(Math.floor(seed / 2 ** 32) + 1);
  for (const part of path) {
    const text = String(part);
    h = mix(h + text.length + GOLDEN);
    for (let i = 0; i < text.length; i++) h = mix(h ^ text.charCodeAt(i)) + GOLDEN;
  }
  return h;
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

export class Random {
  readonly #state = new Int32Array(4);
  #spare: number | undefined;

  /** `seed`: a whole number from 0 to 2^53 - 1. */
  constructor(seed: number, ...path: readonly (number | string)[]) {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`a seed must be a whole number from 0 to 2^53 - 1, not ${seed}`);
    let h = hash(seed, path);
    for (let i = 0; i < 4; i++) this.#state[i] = mix((h = (h + GOLDEN) | 0));
  }

  /** 32 random bits. */
  bits(): number {
    const s = this.#state;
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** Uniform in [0,1), a multiple of 2^-32. */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** A whole number from 0 to `below` - 1, each equally likely; `below` at most 2^32. */
  integer(below: number): number {
    const limit = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      const value = this.bits();
      if (value < limit) return value % below;
    }
  }

  /** Standard normal (Box and Muller, 1958). */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** 0 to n - 1 in random order (Fisher and Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
