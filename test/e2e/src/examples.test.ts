/** The examples run as their pages say, and every file in them is what its schema says. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  EvaluationPlan,
  FolderManifest,
  formatIssues,
  HardeningReport,
  ModelManifest,
  Policy,
  Report,
  Study,
  StudyReport,
  TrainingRecipe,
  TransferReport,
} from '@facet/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { scratch } from './facet.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples', import.meta.url));
const SCHEMAS = [ModelManifest, FolderManifest, EvaluationPlan, Policy, Study, TrainingRecipe];

const documents = (await readdir(EXAMPLES, { recursive: true })).filter((file) =>
  ['.json', '.yaml', '.yml'].includes(extname(file)),
);

function run(example: string, folder: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(EXAMPLES, example, 'run.mjs'), folder]);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (output += data.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}

it('has documents of every kind that a user writes', () => {
  expect(documents.length).toBeGreaterThanOrEqual(SCHEMAS.length);
});

it.each(documents)('%s is what its schema says', async (file) => {
  const value: unknown = parse(await readFile(join(EXAMPLES, file), 'utf8'));
  const { schema: name } = value as { schema: string };
  const schema = SCHEMAS.find(({ shape }) => shape.schema.value === name);
  expect(schema, `${name} is a schema that users write`).toBeDefined();
  const { error } = schema!.safeParse(value);
  expect(error && formatIssues(error)).toBeUndefined();
});

describe('the examples that need nothing from elsewhere', () => {
  let folder: Awaited<ReturnType<typeof scratch>>;
  const reportIn = async (name: string): Promise<Report> =>
    Report.parse(JSON.parse(await readFile(folder.path(name, 'report.json'), 'utf8')));

  beforeAll(async () => {
    folder = await scratch();
  });
  afterAll(() => folder.remove());

  it('01: runs the demo and names the facet that the report ranks first', async () => {
    const { code, output } = await run('01-demo', folder.path());
    expect(code, output).toBe(0);
    const { facets } = await reportIn('demo');
    expect(output).toContain(`Weakest facet: ${facets.find(({ rank }) => rank === 1)!.facet}\n`);
  });

  it('03: evaluates by its own plan, and says what the policy makes of it', async () => {
    const { code, output } = await run('03-own-plan', folder.path());
    expect(code, output).toBe(0);
    const { plan, verdict, cells } = await reportIn('own-plan');
    expect(plan.name).toBe('nightly');
    expect(new Set(cells.map(({ facet }) => facet))).toEqual(new Set(['live', 'spoof-type', 'illumination']));
    expect(verdict.policy).toBe('nightly');
    expect(output).toContain(`exit code ${verdict.passed ? 0 : 3}`);
    for (const { name, actual } of verdict.checks) expect(actual, name).not.toBeNull();
  });

  it('04: attacks by several searches, of which auto reaches more than one step and scores alone', async () => {
    const { code, output } = await run('04-searches', folder.path());
    expect(code, output).toBe(0);
    const { cells, notes } = await reportIn('searches');
    expect(cells).toHaveLength(7);
    expect(notes.join()).toMatch(/pgd-10-s1-cosine-a0\.3: .* lower bound/);
    const rates = new Map(cells.map(({ search, attackSuccessRate }) => [search, attackSuccessRate!]));
    for (const weaker of ['fgsm', 'square-200'])
      expect(rates.get('auto')).toBeGreaterThanOrEqual(rates.get(weaker)!);
    for (const { search } of cells) expect(output).toContain(`${search}: `);
  });

  it('05: trains and compares what its study names, and concludes nothing from one seed', async () => {
    const { code, output } = await run('05-study', folder.path());
    expect(code, output).toBe(0);
    const text = await readFile(folder.path('study', 'study.json'), 'utf8');
    const { combinations, networks } = StudyReport.parse(JSON.parse(text));
    expect(networks.map(({ features }) => features)).toEqual(['none', 'depth']);
    expect(networks[1].figures.control).not.toBeNull();
    for (const { features, vulnerability } of combinations)
      expect(output).toContain(`with ${features}: area under success ${vulnerability!.mean.toFixed(3)}\n`);
    expect(output).toContain('depth: unknown\n');
  });

  it('06: has each network of the study judge what was made on the other', async () => {
    const { code, output } = await run('06-transfer', folder.path());
    expect(code, output).toBe(0);
    const text = await readFile(folder.path('transfer', 'transfer.json'), 'utf8');
    const { matrices, models } = TransferReport.parse(JSON.parse(text));
    expect(models).toHaveLength(2);
    expect(matrices).toHaveLength(2);
    for (const { search } of matrices)
      for (const pair of ['none, judged by none', 'none, judged by depth', 'depth, judged by none'])
        expect(output).toContain(`${search}: made on ${pair}: `);
  });

  it('07: hardens the demo, and says what it cost and bought', async () => {
    const { code, output } = await run('07-harden', folder.path());
    expect(code, output).toBe(0);
    const { splits } = HardeningReport.parse(
      JSON.parse(await readFile(folder.path('demo', 'harden.json'), 'utf8')),
    );
    const [{ attacks, clean }] = splits;
    expect(attacks[0].hardened.success!).toBeLessThan(attacks[0].parent.success!);
    expect(clean.hardened.auc!).toBeGreaterThan(0.5);
    for (const { name } of splits) expect(output).toMatch(new RegExp(`^${name}: at 2/255 `, 'm'));
  });

  it('08: does over HTTP what a pipeline does, follows it to its end, and leaves nothing running', async () => {
    const { code, output } = await run('08-gateway', folder.path());
    expect(code, output).toBe(0);
    expect(output).toMatch(/^completed: 8 of 8 shards$/m);
    const { plan, cells } = await reportIn('gateway');
    expect(plan.name).toBe('over-http');
    for (const { search, attackSuccessRate } of cells)
      expect(output).toContain(`${search}: ${(100 * attackSuccessRate!).toFixed(1)} %`);
  });
});
