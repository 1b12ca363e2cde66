/** The learning rate over a training. */
import type { LearningRateSchedule, TrainingRecipe } from '@facet/contracts';

export interface Schedule extends Pick<TrainingRecipe, 'learningRate' | 'warmupSteps' | 'schedule'> {
  readonly totalSteps: number;
}

/** What the rate is multiplied by, `progress` of the way from the warm-up's end to the training's. */
function factorAt(progress: number, schedule: LearningRateSchedule): number {
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'cosine':
      // Loshchilov and Hutter (2017), without restarts.
      return (1 + Math.cos(Math.PI * progress)) / 2;
    case 'steps':
      return schedule.factor ** schedule.at.filter((share) => progress >= share).length;
  }
}

/** Linear warm-up, then the schedule. */
export function learningRateAt(
  step: number,
  { learningRate, warmupSteps, totalSteps, schedule }: Schedule,
): number {
  const warmup = Math.min(warmupSteps, totalSteps);
  if (step < warmup) return (learningRate * (step + 1)) / warmup;
  return learningRate * factorAt((step - warmup) / Math.max(1, totalSteps - warmup), schedule);
}
