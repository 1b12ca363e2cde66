/** How far a long operation is. */

export interface ProgressReport {
  /** What is being done, for people: "priors of depth". */
  readonly step: string;
  readonly done: number;
  readonly total: number;
  /** What is counted, in the plural. */
  readonly unit?: string;
  /** How it goes, in a few words: "loss 0.31". */
  readonly note?: string;
}

export interface Progress {
  report(progress: ProgressReport): void;
}

export const NO_PROGRESS: Progress = { report: () => undefined };
