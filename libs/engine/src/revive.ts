/** Errors of a worker come back by name; a model's keeps its class. */
import { ModelError, type ModelFault } from '@facet/onnx';

export function revive(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'ModelError') return error;
  const { fault, problem, where } = error as Error & { fault: ModelFault; problem: string; where?: string };
  return new ModelError(fault, problem, where, { cause: error });
}
