/**
 * A worker thread that holds a network's gradient and its forward pass as sessions, opened as the engine opens them. The
 * engine itself offers whole attacks; here one step is timed, without images, searches and scores around it.
 */
import { readFile } from 'node:fs/promises';
import { sessionOptions } from '@facet/engine';
import {
  bare,
  compileForward,
  compileObjective,
  type Dim,
  prepare,
  raiseOpset,
  readModel,
  rebatch,
  writeModel,
} from '@facet/onnx';
import { serveTasks } from '@facet/threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OpenTask, RunResult, RunTask } from './tasks.js';

const opened = new Map<OpenTask['work'], () => Promise<RunResult>>();

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

/** The cross-entropy's sum over the samples of logits [n, classes]. */
function crossEntropy(logits: Float32Array, labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  return labels.reduce((total, label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b));
    return total + largest + Math.log(sum(row.map((z) => Math.exp(z - largest)))) - row[label];
  }, 0);
}

async function open({ file, work, shape, input, labels }: OpenTask): Promise<void> {
  const read = rebatch(raiseOpset(readModel(await readFile(file))));
  const [{ name }] = read.graph.inputs;
  const logits = read.graph.outputs[0].name;
  const dims = new Map<string, readonly Dim[]>([[name, [{ perSample: 1 }, ...shape.slice(1)]]]);
  const graph = prepare(read, dims, { keep: new Set([logits]) });
  const pixels = { name, scale: [1, 1, 1], offset: [0, 0, 0], swapRedBlue: false } as const;
  const model =
    work === 'forward'
      ? compileForward(graph, { input: pixels, outputs: [logits] })
      : compileObjective(graph, {
          input: pixels,
          terms: [{ term: { kind: 'cross-entropy', logits, target: 'label' }, weight: 1 }],
        });
  const session = await InferenceSession.create(writeModel(bare(model)), sessionOptions('constant', 'cpu'));
  const feeds: Record<string, Tensor> = { pixels: new Tensor('float32', input, [...shape]) };
  if (work === 'gradient')
    feeds['label'] = new Tensor('int64', BigInt64Array.from(labels, BigInt), [labels.length]);
  opened.set(work, async () => {
    const results = await session.run(feeds);
    const data = (tensor: string): Float32Array => results[tensor].data as Float32Array;
    return { loss: work === 'gradient' ? sum(data('value')) : crossEntropy(data(logits), labels) };
  });
}

serveTasks({
  open,
  run: ({ work }: RunTask): Promise<RunResult> => {
    const run = opened.get(work);
    if (run === undefined) throw new Error(`${work} was not opened`);
    return run();
  },
});
