/** The learning rate over a training. */

export interface Schedule {
  readonly learningRate: number;
  /** Steps over which the rate rises linearly from almost zero. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** Linear warm-up, then half a cosine down to zero (Loshchilov and Hutter, 2017, without restarts). */
export function learningRateAt(step: number, { learningRate, warmupSteps, totalSteps }: Schedule): number {
  const warmup = Math.min(warmupSteps, totalSteps);
  if (step < warmup) return (learningRate * (step + 1)) / warmup;
  const progress = (step - warmup) / Math.max(1, totalSteps - warmup);
  return (learningRate * (1 + Math.cos(Math.PI * progress))) / 2;
}
