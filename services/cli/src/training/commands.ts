/** `facet train` and `facet harden`: their options. */
import { BackboneName, ThreatModel } from '@facet/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { hardenCommand } from './harden.js';
import { trainCommand } from './train.js';

const list = (text: string): string[] => (text === 'none' ? [] : text.split(',').map((one) => one.trim()));

/** A fraction of the pixel range: a number, or a quotient like 2/255. */
function epsilon(text: string): number {
  const value = text.includes('/') ? text : Number(text);
  const parsed = ThreatModel.shape.epsilon.safeParse(value);
  if (!parsed.success) throw new InvalidArgumentError('It must be a number or a quotient like 2/255.');
  return parsed.data;
}

export function addTrainingCommands(program: Command, version: string, seed: (text: string) => number): void {
  program
    .command('train')
    .description('train a network as a recipe says, and publish it; a killed training goes on')
    .requiredOption('--recipe <file>', 'how (facet.recipe/v1), JSON or YAML')
    .requiredOption(
      '--dataset <dir|file|name@version>',
      'a folder with dataset.json (facet.folder/v1), a file that describes a synthetic one, or one that --out holds',
    )
    .requiredOption('--model <name@version>', 'under which the network is published')
    .addOption(new Option('--backbone <name>', "instead of the recipe's").choices(BackboneName.options))
    .option('--facets <list>', "auxiliary facets between commas, or none; instead of the recipe's", list)
    .option('--seed <n>', "of weights, batches and attacks, instead of the recipe's", seed)
    .option('--weights <file>', 'to begin from: safetensors, or an ONNX model with the same layers')
    .addOption(
      new Option('--pixels <how>', 'how pixels were prepared for --weights')
        .choices(['unit', 'imagenet'])
        .default('unit'),
    )
    .option('--out <dir>', 'where the network and everything stored go', 'facet-out')
    .action(async (options: Omit<Parameters<typeof trainCommand>[0], 'version'>) => {
      process.exitCode = await trainCommand({ ...options, version });
    });

  program
    .command('harden')
    .description('train a published model on with adversarial examples, and stand both side by side')
    .argument('<model>', 'an ONNX file, or NAME@VERSION of a model that --out holds')
    .option('--manifest <file>', 'what the bytes of a file do not say (facet.model/v1), JSON or YAML')
    .option(
      '--dataset <dir|file|name@version>',
      'as for train; that of its training unless given, where --out knows it',
    )
    .option(
      '--epsilon <fraction>',
      'how far an attack that is to be withstood may change a pixel value',
      epsilon,
      2 / 255,
    )
    .option('--recipe <file>', 'how (facet.recipe/v1), JSON or YAML, instead of the default')
    .option('--plan <name|file>', 'what both are attacked with; PGD-10 on the decision unless given')
    .option(
      '--evaluation <id>',
      'train on the images by which an evaluation of another dataset broke it, too',
    )
    .option('--as <name@version>', 'under which the result is published')
    .option('--seed <n>', 'of batches and attacks', seed, 0)
    .option('--out <dir>', 'where the model, the report and everything stored go', 'facet-out')
    .action(
      async (model: string, options: Omit<Parameters<typeof hardenCommand>[0], 'version' | 'model'>) => {
        process.exitCode = await hardenCommand({ ...options, model, version });
      },
    );
}
