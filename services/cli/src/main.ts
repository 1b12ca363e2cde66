#!/usr/bin/env node
/** The `facet` command: reads arguments, runs a command, ends with its exit code. */
import { readFileSync } from 'node:fs';
import { Baseline } from '@facet/contracts';
import { PRESETS } from '@facet/plans';
import { Command, InvalidArgumentError } from 'commander';
import { addClusterCommands } from './cluster/commands.js';
import { demo } from './demo.js';
import { doctor } from './doctor.js';
import { evaluate } from './evaluate.js';
import { EXIT } from './finish.js';
import { readStudy, STUDIES } from './study/read.js';
import { runStudy } from './study/study.js';
import { transfer } from './transfer.js';
import { addModelCommands } from './model-commands.js';
import { addRemoteCommands } from './remote/commands.js';
import { evaluateOn } from './remote/evaluate.js';
import { addTrainingCommands } from './training/commands.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const MAX_SEED = 2 ** 32 - 1;

function seed(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > MAX_SEED)
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${MAX_SEED}.`);
  return value;
}

function baseline(text: string): Baseline {
  const [name, version] = text.split('@');
  const parsed = Baseline.safeParse(text === 'previous' ? text : { name, version });
  if (!parsed.success || text.split('@').length > 2)
    throw new InvalidArgumentError('It must be NAME@VERSION, or "previous".');
  return parsed.data;
}

const program = new Command('facet')
  .description('Finds where a face anti-spoofing model breaks, facet by facet, before an attacker does.')
  .version(version)
  .configureOutput({
    outputError: (text, write) => {
      write(
        `facet: ${text
          .replace(/^error: /, '')
          .trim()
          .replaceAll('\n', ' ')}\n`,
      );
    },
  });

program
  .command('demo')
  .description('train a small network on synthetic faces and evaluate it')
  .option('--quick', 'a smaller run, for checks', false)
  .option('--out <dir>', 'where reports and everything stored go', 'facet-out')
  .option('--seed <n>', 'of data, weights and attacks', seed, 0)
  .action(async (options: { quick: boolean; out: string; seed: number }) => {
    process.exitCode = await demo({ ...options, version });
  });

program
  .command('evaluate')
  .description('evaluate a published ONNX model on a folder of labelled images')
  .requiredOption('--model <file>', 'the ONNX file')
  .requiredOption('--manifest <file>', 'what its bytes do not say (facet.model/v1), JSON or YAML')
  .requiredOption('--dataset <dir>', 'a folder of images with dataset.json (facet.folder/v1)')
  .option('--plan <name|file>', `what to attack: ${PRESETS.join(', ')}, or a file (facet.plan/v1)`, 'default')
  .option('--policy <file>', 'what the report must hold (facet.policy/v1); exit 3 where it does not')
  .option(
    '--baseline <name@version|previous>',
    'compare with a model that --out holds: another one, or the version published before this',
    baseline,
  )
  .option('--out <dir>', 'where reports and everything stored go', 'facet-out')
  .option('--seed <n>', "of attacks, instead of the plan's own", seed)
  .option('--server <url>', 'evaluate there; --dataset may then be NAME@VERSION of one that it has')
  .option('--token-file <file>', 'holds the token for the server; or FACET_TOKEN_FILE, or FACET_TOKEN')
  .action(
    async (options: {
      model: string;
      manifest: string;
      dataset: string;
      plan: string;
      policy?: string;
      baseline?: Baseline;
      out: string;
      seed?: number;
      server?: string;
      tokenFile?: string;
    }) => {
      const { server, baseline: compared, ...own } = options;
      if (server === undefined) {
        process.exitCode = await evaluate({ ...options, version });
        return;
      }
      if (compared !== undefined)
        throw new Error('--baseline compares with a model in --out; it does not go with --server');
      process.exitCode = await evaluateOn({ ...own, server });
    },
  );

program
  .command('transfer')
  .description('attack several models, and have each judge what was crafted on the others')
  .requiredOption('--model <files...>', 'the ONNX files')
  .requiredOption('--manifest <files...>', 'their manifests, in the same order')
  .requiredOption('--dataset <dir>', 'a folder of images with dataset.json (facet.folder/v1)')
  .option(
    '--plan <name|file>',
    `what to attack: ${PRESETS.join(', ')}, or a file (facet.plan/v1)`,
    'transfer',
  )
  .option('--out <dir>', 'where reports and everything stored go', 'facet-out')
  .option('--seed <n>', "of attacks, instead of the plan's own", seed)
  .action(
    async (options: {
      model: string[];
      manifest: string[];
      dataset: string;
      plan: string;
      out: string;
      seed?: number;
    }) => {
      process.exitCode = await transfer({ ...options, version });
    },
  );

program
  .command('study')
  .description(
    'train backbones with and without auxiliary features, evaluate all, and say which are hard to attack',
  )
  .option(
    '--study <name|file>',
    `what is compared: ${STUDIES.join(', ')}, or a file (facet.study/v1)`,
    'default',
  )
  .option('--quick', 'the study "quick": minutes, and weak networks', false)
  .option('--out <dir>', 'where reports and everything stored go', 'facet-out/study')
  .action(async ({ study, quick, out }: { study: string; quick: boolean; out: string }) => {
    process.exitCode = await runStudy({ study: await readStudy(quick ? 'quick' : study), out, version });
  });

addModelCommands(program);
addTrainingCommands(program, version, seed);

program
  .command('doctor')
  .description('show what this machine can do: memory, workers, and which providers compute')
  .action(async () => {
    process.exitCode = (await doctor(version)) ? EXIT.passed : EXIT.error;
  });

addClusterCommands(program, version);
addRemoteCommands(program);

// A reader that has seen enough, such as `head`, ends the output and not the program.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  for (const line of message.split('\n')) process.stderr.write(`facet: ${line}\n`);
  process.exitCode = EXIT.error;
}
