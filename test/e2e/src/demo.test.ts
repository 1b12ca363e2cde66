import { readFile } from 'node:fs/promises';
import { dequantise, scoresOf } from '@facet/adversary';
import { loadFeatures, loadModel, loadPlan } from '@facet/catalog';
import { keys, Report } from '@facet/contracts';
import { decodePng, readShard } from '@facet/datasets';
import { FolderStore } from '@facet/store';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, type Run, scratch } from './facet.js';

describe('facet demo --quick', () => {
  let folder: Awaited<ReturnType<typeof scratch>>;
  let first: Run;
  let report: Report;
  const reportOf = async (name: string): Promise<string> =>
    readFile(folder.path(name, 'report.json'), 'utf8');

  beforeAll(async () => {
    folder = await scratch();
    first = await facet(['demo', '--quick', '--out', folder.path('a')]);
    report = Report.parse(JSON.parse(await reportOf('a')));
  });
  afterAll(() => folder.remove());

  it('ends well, with a table, the report and progress of every step', () => {
    expect(first.stderr).toMatch(/dataset: 1536\/1536 images/);
    expect(first.stderr).toMatch(/training: 8192\/8192 images/);
    expect(first.stderr).toMatch(/features: 300\/300 images/);
    expect(first.stderr).toMatch(/attacks: (\d+)\/\1 shards/);
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('spoof-type');
    expect(first.stdout).toContain(folder.path('a', 'report.html'));
  });

  it('attacks all five auxiliary facets and the decision', () => {
    const facets = new Set(report.cells.map((cell) => cell.facet));
    expect([...facets].sort()).toEqual([
      'attributes',
      'depth',
      'illumination',
      'live',
      'reflection',
      'spoof-type',
    ]);
    expect(report.gains.find(({ epsilon }) => Math.abs(epsilon - 2 / 255) < 1e-9)?.gain).toBeGreaterThan(0);
    expect(report.provenance.recheck.images).toBeGreaterThan(0);
    expect(report.provenance.recheck.agreed).toBe(report.provenance.recheck.images);
  });

  it('writes a page that loads nothing from elsewhere', async () => {
    const html = await readFile(folder.path('a', 'report.html'), 'utf8');
    expect(html).toContain('data:image/png;base64,');
    expect(html).not.toMatch(/(src|href)="https?:/);
  });

  it('was judged on the 8-bit images as they are stored', async () => {
    const store = await FolderStore.open(folder.path('a', 'store'));
    const planned = await loadPlan(store, report.evaluation);
    const { bytes, manifest } = await loadModel(store, planned.model);
    const { summary } = await loadFeatures(store, planned.features);
    const session = await InferenceSession.create(bytes);
    const { height, width } = manifest.input;
    const scoreOf = async (png: Uint8Array): Promise<number> => {
      const { data } = await decodePng(png);
      const plane = height * width;
      const planes = Uint8Array.from(
        { length: 3 * plane },
        (_, i) => data[3 * (i % plane) + Math.floor(i / plane)],
      );
      const pixels = new Tensor('float32', dequantise(planes), [1, 3, height, width]);
      const results = await session.run({ [manifest.input.name]: pixels });
      const logits = results[manifest.output.name].data as Float32Array;
      return scoresOf(manifest.output, logits, 1)[0];
    };
    const live = (score: number): boolean => score >= summary.threshold.value;

    const correct = new Set<string>();
    const dataset = keys.dataset.shard(planned.dataset, 'test', 0);
    for await (const sample of readShard(await (await store.get(dataset))!.bytes())) {
      if (live(await scoreOf(sample.png)) === (sample.labels.label === 'live')) correct.add(sample.key);
    }
    for (const cell of report.cells) {
      let attempted = 0;
      let succeeded = 0;
      for (let shard = 0; shard < planned.shards; shard++) {
        const tar = await store.get(keys.evaluation.images(report.evaluation, cell.id, shard));
        for await (const { key, png, labels } of readShard(await tar!.bytes())) {
          if (!correct.has(key)) continue;
          attempted++;
          if (live(await scoreOf(png)) !== (labels.label === 'live')) succeeded++;
        }
      }
      expect({ id: cell.id, attempted, succeeded }).toEqual({
        id: cell.id,
        attempted: cell.attempted,
        succeeded: cell.succeeded,
      });
      expect(succeeded / attempted).toBe(cell.attackSuccessRate);
    }
    await session.release();
  });

  it('is found when it is run again', async () => {
    const again = await facet(['demo', '--quick', '--out', folder.path('a')]);
    expect(again.code).toBe(0);
    expect(Report.parse(JSON.parse(await reportOf('a')))).toEqual(report);
    expect(again.stderr).not.toContain('attacks:');
  });

  it('ends in the same bytes when it is killed in training and among the attacks, and interrupted', async () => {
    const args = ['demo', '--quick', '--out', folder.path('b')];
    const killed = await facet(args, { killWhen: /training: [3-7]\d\d\d\// });
    expect(killed.signal).toBe('SIGKILL');
    const interrupted = await facet(args, { killWhen: /attacks: [1-9]\d?\//, signal: 'SIGINT' });
    expect(interrupted.code).toBe(1);
    expect(interrupted.stderr).toContain('stopped by SIGINT');
    const killedAgain = await facet(args, { killWhen: /attacks: [2-4]\d\// });
    expect(killedAgain.signal).toBe('SIGKILL');
    const whole = await facet(args);
    expect(whole.code).toBe(0);
    expect(await reportOf('b')).toBe(await reportOf('a'));
    expect(await readFile(folder.path('b', 'report.html'))).toEqual(
      await readFile(folder.path('a', 'report.html')),
    );
  });
});
