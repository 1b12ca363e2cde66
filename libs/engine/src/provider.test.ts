import { describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { chooseProvider, probeProviders, providerWish } from './provider.js';

describe('the provider that is wished for', () => {
  it('is what FACET_PROVIDER says', () => {
    expect(providerWish({})).toBe('auto');
    expect(providerWish({ FACET_PROVIDER: '' })).toBe('auto');
    expect(providerWish({ FACET_PROVIDER: 'CUDA' })).toBe('cuda');
    expect(() => providerWish({ FACET_PROVIDER: 'tpu' })).toThrow(
      'FACET_PROVIDER is "tpu"; it must be one of auto, cpu, cuda, webgpu',
    );
  });
});

describe('probing', () => {
  it('finds the CPU to compute everywhere', async () => {
    expect(await probeProviders(['cpu'])).toEqual([{ provider: 'cpu', problem: undefined }]);
  });

  it('falls back under auto, and says in one line what is in the way; refuses what was named', async () => {
    const probes = await probeProviders(['cuda', 'webgpu']);
    const { provider, line } = await chooseProvider('auto');
    const works = probes.find(({ problem }) => problem === undefined);
    expect(provider).toBe(works?.provider ?? 'cpu');
    for (const { provider: name, problem } of probes) {
      if (problem === undefined) continue;
      expect(problem).toMatch(/^[^\n]{10,}$/);
      await expect(chooseProvider(name)).rejects.toThrow(
        `FACET_PROVIDER asks for ${name}, which does not compute here: ${name}: ${problem}`,
      );
      if (works === undefined) expect(line).toContain(`${name}: ${problem}`);
    }
    if (works === undefined) expect(line).toMatch(/^computing on the CPU \(/);
  });

  it('is what an engine says that it computes on', async () => {
    const engine = new Engine({ threads: 1, provider: 'webgpu' });
    expect(engine.backend).toMatch(/^onnxruntime-node \d+\.\d+\.\d+, webgpu$/);
    await engine.close();
    const plain = new Engine({ threads: 1 });
    expect(plain.backend).toMatch(/, cpu$/);
    await plain.close();
  });
});
