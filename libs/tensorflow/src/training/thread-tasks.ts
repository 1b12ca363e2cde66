/** What the thread that trains is asked. */
import type { StepOptions, StepResult, TrainerState, TrainingBatch, Updating } from '@facet/learning';
import type { TrainingSpec } from '@facet/onnx';

export interface OpenTask {
  /** An inference graph with its initial weights, as a file. */
  readonly model: Uint8Array;
  readonly spec: TrainingSpec;
  readonly updating: Updating;
}

/** Task names with their inputs and results. */
export interface TrainerTasks {
  open: { input: OpenTask; result: undefined };
  step: {
    input: { readonly batch: TrainingBatch; readonly options: Omit<StepOptions, 'signal'> };
    result: StepResult;
  };
  state: { input: undefined; result: TrainerState };
  load: { input: TrainerState; result: undefined };
}
