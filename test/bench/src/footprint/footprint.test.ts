import { SERVICES } from '@facet/cli';
import { describe, expect, it } from 'vitest';
import { mebibytes, requestOf } from './requests.js';
import { usageOf } from './usage.js';

describe('what is asked for', () => {
  it('is read from the manifests of every service', async () => {
    for (const { name } of SERVICES) {
      const { memoryMiB, limitMiB } = await requestOf(`base/${name}.yaml`);
      expect(memoryMiB, name).toBeGreaterThan(100);
      expect(limitMiB, name).toBeGreaterThanOrEqual(memoryMiB);
    }
  });

  it('is a number of MiB, or of a unit that is refused by name', () => {
    expect([mebibytes('768Mi'), mebibytes('2Gi')]).toEqual([768, 2048]);
    expect(() => mebibytes('1G')).toThrow('memory of 1G is not read here');
    return expect(requestOf('base/namespace.yaml')).rejects.toThrow('has no workload with requests');
  });
});

it.skipIf(process.platform !== 'linux')('a process uses what Node says that it uses', () => {
  const { bytes, cpuMs } = usageOf(process.pid);
  const { user, system } = process.cpuUsage();
  expect(bytes / process.memoryUsage.rss()).toBeGreaterThan(0.8);
  expect(cpuMs).toBeGreaterThan(0.5 * ((user + system) / 1000));
  expect(usageOf(2 ** 22 + 1)).toEqual({ bytes: 0, cpuMs: 0 });
});
