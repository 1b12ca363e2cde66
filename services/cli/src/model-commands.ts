/** The commands that look at one model and need no manifest: `facet inspect` and `facet gradient`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { gradientCommand, type GradientOptions } from './gradient.js';
import { inspectCommand } from './inspect.js';

const AXES = ['batch', 'channels', 'height', 'width'];

/** Whole numbers between commas. */
const numbers = (least: number) => (text: string) => {
  const values = text.split(',').map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  if (!values.every((value) => Number.isSafeInteger(value) && value >= least))
    throw new InvalidArgumentError(`It must be whole numbers from ${least} on, with commas between them.`);
  return values;
};

function shape(text: string): GradientOptions['shape'] {
  const sizes = numbers(1)(text);
  if (sizes.length !== AXES.length)
    throw new InvalidArgumentError(`It must be ${AXES.length} sizes: ${AXES.join(', ')}.`);
  return sizes as unknown as GradientOptions['shape'];
}

export function addModelCommands(program: Command): void {
  program
    .command('inspect')
    .description('show what an ONNX model is, where it can be attacked, and a manifest to start from')
    .argument('<model>', 'the ONNX file')
    .option('--json', 'as JSON (facet.inspection/v1)', false)
    .action(inspectCommand);

  program
    .command('gradient')
    .description("write the gradient of a summed objective with respect to a model's input, to compare")
    .argument('<model>', 'the ONNX file')
    .requiredOption('--input <file>', "float32, little-endian, row-major: the model's own input as it is")
    .requiredOption('--shape <n,c,h,w>', 'sizes of the input, such as 2,3,64,64', shape)
    .requiredOption(
      '--labels <list>',
      'a class index per sample; for the margin 0 is live, 1 is spoof',
      numbers(0),
    )
    .addOption(
      new Option('--objective <name>', 'what is differentiated')
        .choices(['cross-entropy', 'margin'])
        .default('cross-entropy'),
    )
    .option('--live <list>', 'classes that count as live, for the margin', numbers(0), [0])
    .option('--output-tensor <name>', "the tensor that decides; the model's decision unless given")
    .requiredOption('--output <file>', 'where the gradient goes, in the form of the input')
    .option('--logits <file>', 'where the values of the deciding tensor go, in the same form')
    .action(gradientCommand);
}
