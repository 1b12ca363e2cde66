/** `facet gradient`: the gradient that attacks follow, as a plain file, so that anyone can hold it to a framework's. */
import type { GradientTask } from '@facet/engine';
import { InputError } from '@facet/runtime';
import { askEngine } from './plain-engine.js';
import { readTensor, writeTensor } from './raw-tensors.js';

export interface GradientOptions {
  readonly input: string;
  readonly shape: GradientTask['shape'];
  readonly labels: readonly number[];
  readonly objective: GradientTask['objective'];
  readonly live: readonly number[];
  readonly outputTensor?: string;
  readonly output: string;
  readonly logits?: string;
}

const norm = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

export async function gradientCommand(model: string, options: GradientOptions): Promise<void> {
  const { shape, labels, objective, live, outputTensor, output, logits } = options;
  if (labels.length !== shape[0])
    throw new InputError(`has ${labels.length} labels for ${shape[0]} samples`, { field: '--labels' });
  const input = await readTensor(options.input, shape);
  const places = {
    shape: '--shape',
    labels: '--labels',
    live: '--live',
    tensor: '--output-tensor',
    input: options.input,
  };
  const task = { shape, input, labels, objective, live, ...(outputTensor && { tensor: outputTensor }) };
  const found = await askEngine(model, (engine, bytes) => engine.gradient({ bytes, ...task }), places);
  await writeTensor(output, found.gradient);
  if (logits !== undefined) await writeTensor(logits, found.logits);

  const of = objective === 'margin' ? `margin, live ${live.join()}` : objective;
  const lines = [
    `objective  ${of} of "${found.tensor}", summed over the samples`,
    `values     ${Array.from(found.values, (value) => value.toPrecision(6)).join(' ')}`,
    `gradient   ${shape.join('x')}, L2 norm ${norm(found.gradient).toPrecision(6)}: ${output}`,
    ...(logits === undefined ? [] : [`logits     ${found.logitsShape.join('x')}: ${logits}`]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
