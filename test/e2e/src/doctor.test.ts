/** `facet doctor`: a machine without any accelerator computes, and says why nothing faster does. */
import { describe, expect, it } from 'vitest';
import { facet } from './facet.js';

describe('facet doctor', () => {
  it('says what computes here, a line for each', async () => {
    const { code, stdout, stderr } = await facet(['doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.slice(0, 12).trim())).toEqual([
      'facet',
      'processor',
      'memory',
      'cpu',
      'cuda',
      'webgpu',
      'tensorflow',
      'provider',
      'training',
    ]);
    expect(lines[2]).toMatch(/GiB; \d+ workers hold up to [\d.]+ GiB each$/);
    expect(lines[3]).toMatch(/ computes$/);
    expect(lines[6]).toMatch(/ (\d+\.\d+\.\d+ \((cpu|cuda)\), in |not built, and not needed: )/);
    expect(lines[8]).toMatch(/ FACET_BACKEND=onnxruntime$/);
    for (const line of lines.slice(4, 6)) expect(line).toMatch(/ (computes|does not compute: .{10,})$/);
  });
});
