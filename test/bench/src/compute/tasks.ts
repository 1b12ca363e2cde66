/** What the bench asks of a worker thread of its own: one session, run as often as it is timed. */
export interface OpenTask {
  /** Path of the ONNX file. */
  readonly file: string;
  readonly work: 'gradient' | 'forward';
  /** [N, 3, H, W]: what each run gets. */
  readonly shape: readonly [number, number, number, number];
  readonly input: Float32Array;
  /** [N] class indices. */
  readonly labels: readonly number[];
}

export interface RunTask {
  readonly work: OpenTask['work'];
}

/** Of the last run: the cross-entropy's sum over the samples, from the objective itself or from the logits. */
export interface RunResult {
  readonly loss: number;
}
