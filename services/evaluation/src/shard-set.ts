/** A set of an evaluation's shards, numbered cell by cell: a bit each, so that 100,000 shards take 12 kB. */
export class ShardSet {
  private readonly bits: Uint8Array;
  private count = 0;

  constructor(readonly total: number) {
    this.bits = new Uint8Array(Math.ceil(total / 8));
  }

  get size(): number {
    return this.count;
  }

  has(index: number): boolean {
    return (this.bits[index >> 3] & (1 << (index & 7))) !== 0;
  }

  add(index: number): void {
    if (this.has(index)) return;
    this.bits[index >> 3] |= 1 << (index & 7);
    this.count++;
  }

  delete(index: number): void {
    if (!this.has(index)) return;
    this.bits[index >> 3] &= ~(1 << (index & 7));
    this.count--;
  }

  /** Ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (let index = 0; index < this.total; index++) if (this.has(index)) yield index;
  }
}
