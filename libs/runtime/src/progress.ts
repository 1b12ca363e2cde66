/** How far a long operation is. */

export interface ProgressReport {
  /** What is being done, for people: "priors of depth". */
  readonly step: string;
  readonly done: number;
  readonly total: number;
  /** What is counted, in the plural. */
  readonly unit?: string;
}

export interface Progress {
  report(progress: ProgressReport): void;
}

export const NO_PROGRESS: Progress = { report: () => undefined };
