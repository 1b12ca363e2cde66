/**
 * What computes the steps of trainings: ONNX Runtime, or TensorFlow.js on TensorFlow's own library where FACET_BACKEND asks
 * for it and its addon was built. The second trains new networks on clean images; its refusals name the field.
 */
import type { TrainingRequest } from '@facet/contracts';
import { type Engine, OnnxTrainer, type OnnxTrainerOptions } from '@facet/engine';
import type { InnerMaximisation, Trainer, Validator } from '@facet/learning';
import { writeModel } from '@facet/onnx';
import { InputError } from '@facet/runtime';
import { TensorFlowThread } from '@facet/tensorflow';
import { type Addon, findAddon, HOW_TO_BUILD } from '@facet/tensorflow-addon';

export const BACKENDS = ['onnxruntime', 'tensorflow'] as const;
export type BackendWish = (typeof BACKENDS)[number];

export type Backend =
  | { readonly name: 'onnxruntime' }
  | { readonly name: 'tensorflow'; readonly addon: Pick<Addon, 'kind' | 'version'> };

/** FACET_BACKEND; `onnxruntime` unless set. @throws RangeError naming the variable */
export function backendWish(environment: NodeJS.ProcessEnv = process.env): BackendWish {
  const text = environment['FACET_BACKEND'] ?? '';
  if (text === '') return 'onnxruntime';
  const wish = BACKENDS.find((name) => name === text.toLowerCase());
  if (wish === undefined)
    throw new RangeError(`FACET_BACKEND is "${text}"; it must be one of ${BACKENDS.join(', ')}`);
  return wish;
}

/** The one that the environment asks for, or ONNX Runtime. `say` gets a line where that is another one. */
export const openBackend = (say: (line: string) => void): Backend =>
  chooseBackend(backendWish(), findAddon(), say);

export function chooseBackend(
  wish: BackendWish,
  addon: Pick<Addon, 'kind' | 'version'> | undefined,
  say: (line: string) => void,
): Backend {
  if (wish === 'onnxruntime') return { name: 'onnxruntime' };
  if (addon !== undefined) return { name: 'tensorflow', addon };
  say(`FACET_BACKEND asks for TensorFlow, whose addon is not built: ONNX Runtime trains; ${HOW_TO_BUILD}`);
  return { name: 'onnxruntime' };
}

/** A backend's trainer, with what attacks and scores the network as it stands, where it can. */
export interface OpenedTrainer {
  readonly trainer: Trainer;
  readonly inner?: InnerMaximisation & Validator;
  /** As lineages name it. */
  readonly backend: string;
}

/** Errors: InputError naming a field of the recipe that the backend does not follow; what opening its trainer throws. */
export async function openTrainer(
  backend: Backend,
  engine: Engine,
  request: TrainingRequest,
  options: OnnxTrainerOptions,
): Promise<OpenedTrainer> {
  if (backend.name === 'onnxruntime') {
    const trainer = new OnnxTrainer(engine, options);
    return { trainer, inner: trainer, backend: engine.backend };
  }
  checkFollowed(request);
  const { model, spec, updating } = options;
  const trainer = await TensorFlowThread.open({ model: writeModel(model), spec, updating }, engine.threads);
  return { trainer, backend: `TensorFlow ${backend.addon.version} (${backend.addon.kind})` };
}

function checkFollowed({ recipe, parent }: TrainingRequest): void {
  const refuse = (field: string, what: string): never => {
    throw new InputError(`${what} with TensorFlow; train with FACET_BACKEND=onnxruntime`, { field });
  };
  if (parent !== undefined) refuse('parent', 'a published model is not trained on');
  if (recipe.adversarial !== undefined) refuse('recipe.adversarial', 'nothing is attacked');
  if (recipe.validation !== undefined) refuse('recipe.validation', 'epochs are not validated');
  if (recipe.batchNorm === 'frozen') refuse('recipe.batchNorm', 'statistics are not frozen');
}
