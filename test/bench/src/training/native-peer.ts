/**
 * A process that trains with TensorFlow.js on TensorFlow's own library: `native-peer.js NETWORK THREADS`. Each line of standard
 * input is {"run": "step"}, which answers {"wallMs", "cpuMs"}, or {"train": STEPS, "parts"}, which starts anew and answers
 * {"losses", "trained"}.
 */
import { createInterface } from 'node:readline';
import { loadNative, TensorFlowTrainer } from '@facet/tensorflow';
import { z } from 'zod';
import { timed } from '../frame/interleave.js';
import { courseOf } from './ours.js';
import { batchOf, LEARNING_RATE, type NetworkName, trainingTask, UPDATING } from './task.js';

const Question = z.union([
  z.object({ run: z.literal('step') }),
  z.object({ train: z.int(), parts: z.int() }),
]);

const [name, threads] = process.argv.slice(2);
// Read when the library is loaded.
process.env['TF_NUM_INTRAOP_THREADS'] = threads;
process.env['TF_NUM_INTEROP_THREADS'] = '1';
const tf = loadNative();
const task = trainingTask(name as NetworkName);
const open = (): TensorFlowTrainer => new TensorFlowTrainer(tf, task.model.graph, task.spec, UPDATING);
const trainer = open();
const first = batchOf(task, 0, 1);

async function answer(question: z.infer<typeof Question>): Promise<object> {
  if ('run' in question) return timed(() => trainer.step(first, { learningRate: LEARNING_RATE, step: 0 }));
  const own = open();
  const { losses, trained } = await courseOf(own, task, question.train, question.parts);
  await own.close();
  return { losses, trained: [...trained] };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answered = await answer(Question.parse(JSON.parse(line))).catch((error: Error) => ({
    error: error.stack,
  }));
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
