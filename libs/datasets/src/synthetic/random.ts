/**
 * Seeded random numbers: sfc32 (Doty-Humphrey, PractRand), a chaotic generator of 128 bits of state. Integer
 * arithmetic only, so a stream is the same everywhere.
 */

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Streams with different keys are independent. */
  constructor(...key: readonly number[]) {
    this.#a = 0x243f6a88;
    this.#b = 0x85a308d3 | 0;
    this.#c = 0x13198a2e;
    for (const part of key) {
      // A seed may exceed 32 bits: its upper half counts too.
      this.#a ^= part | 0;
      this.#b ^= Math.floor(part / 0x1_0000_0000) | 0;
      for (let i = 0; i < 12; i++) this.bits();
    }
  }

  /** 32 random bits as a signed integer. */
  bits(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + ((this.bits() >>> 0) / 0x1_0000_0000) * (high - low);
  }

  chance(probability: number): boolean {
    return this.uniform(0, 1) < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.uniform(0, choices.length))];
  }

  /** Close to normal, mean 0 and standard deviation 1: the sum of four bytes; never beyond 3.5. */
  normal(): number {
    const bits = this.bits();
    return ((bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510) / 147.8;
  }
}
