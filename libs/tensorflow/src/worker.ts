/** The thread in which TensorFlow trains: its kernels run on the calling thread, which would stop an event loop. */
import { readModel } from '@facet/onnx';
import { serveTasks, type TaskContext } from '@facet/threads';
import { loadNative } from './native/load.js';
import type { TrainerTasks } from './training/thread-tasks.js';
import { TensorFlowTrainer } from './training/trainer.js';

type Handlers = {
  readonly [T in keyof TrainerTasks]: (
    input: TrainerTasks[T]['input'],
    context: TaskContext,
  ) => Promise<TrainerTasks[T]['result']>;
};

let trainer: TensorFlowTrainer | undefined;

function opened(): TensorFlowTrainer {
  if (trainer === undefined) throw new Error('no training was opened in this thread');
  return trainer;
}

const handlers: Handlers = {
  async open({ model, spec, updating }) {
    await trainer?.close();
    trainer = new TensorFlowTrainer(loadNative(), readModel(model).graph, spec, updating);
  },
  step: ({ batch, options }, { signal }) => opened().step(batch, { ...options, signal }),
  state: () => opened().state(),
  async load(state) {
    await opened().load(state);
  },
};

serveTasks(handlers);
