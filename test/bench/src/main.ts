/** `npm run bench`: reads the command line, runs parts, prints the table, writes the JSON. */
import { rename, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { runCases } from './frame/bench.js';
import { machine } from './frame/machine.js';
import { select, UnknownName } from './frame/select.js';
import { textOf } from './frame/table.js';
import { PARTS } from './parts.js';
import { Peers } from './peers/peers.js';

const log = (line: string): void => console.error(line);

async function run(words: readonly string[], { json }: { json?: string }): Promise<void> {
  const peers = new Peers(log);
  const selected = select(PARTS, words);
  const { report, failures } = await runCases(
    selected,
    { peers, log },
    () => machine(peers.versions),
    new Date(),
  );
  if (json !== undefined) {
    await writeFile(`${json}.part`, `${JSON.stringify(report, null, 2)}\n`);
    await rename(`${json}.part`, json);
  }
  console.log(textOf(report));
  for (const failure of failures) console.error(`bench: ${failure}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

const program = new Command('bench')
  .description('What Facet costs, and whether it is right, beside what others would use, on this machine.')
  .argument('[part]', 'one of the parts below; all of them unless given')
  .argument('[cases...]', 'of that part: names, or their beginnings')
  .option('--json <file>', 'leave the results there (facet.bench/v1)')
  .addHelpText(
    'after',
    `\nParts:\n${PARTS.map(({ name, about, cases }) => `  ${name}: ${about}\n    ${cases.join(', ')}`).join('\n')}`,
  )
  .action((part: string | undefined, cases: string[], options: { json?: string }) =>
    run(part === undefined ? [] : [part, ...cases], options),
  );

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UnknownName)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
