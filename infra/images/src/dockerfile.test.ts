/** What every Dockerfile keeps. No daemon is needed to read one. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const folder = new URL('..', import.meta.url);
const names = readdirSync(folder).filter((name) => name.startsWith('Dockerfile'));

it('there is one for CPUs and one for GPUs', () => {
  expect(names).toEqual(['Dockerfile', 'Dockerfile.gpu']);
});

/** Instructions of a Dockerfile by name, and the lines of its last stage. */
function read(name: string) {
  const lines = readFileSync(new URL(name, folder), 'utf8').replaceAll('\\\n', ' ').split('\n');
  const of = (instruction: string) =>
    lines
      .filter((line) => line.startsWith(`${instruction} `))
      .map((line) => line.slice(instruction.length + 1));
  return { lines, of, last: lines.slice(lines.findLastIndex((line) => line.startsWith('FROM '))) };
}

it('the one for GPUs builds TensorFlow for the service that trains, where it is found', () => {
  const { of, last } = read('Dockerfile.gpu');
  const [builds] = of('RUN').filter((line) => line.includes('infra/tensorflow/dist/main.js cuda'));
  expect(builds).toContain('if [ "${SERVICE}" = training ]');
  const [cache, cacheFolder] = /XDG_CACHE_HOME=(\S+)/.exec(builds)!;
  expect(last.some((line) => line.startsWith('ENV ') && line.endsWith(` ${cache}`))).toBe(true);
  expect(last).toContain(`COPY --from=build ${cacheFolder} ${cacheFolder}`);
});

describe.each(names)('%s', (name) => {
  const { lines, of, last } = read(name);

  it('names versions of its bases, each in one argument that a digest can replace', () => {
    const bases = of('ARG').filter((line) => line.includes('_IMAGE='));
    for (const base of bases) expect(base).toMatch(/^[A-Z]+_IMAGE=[a-z/]+:\d+\.\d+\.\d+-[a-z0-9.-]+$/);
    const from = of('FROM').map((line) => line.split(' ')[0]);
    expect(new Set(from)).toEqual(new Set(bases.map((base) => `\${${base.split('=')[0]}}`)));
  });

  it('builds in one stage and runs in another, which has no tool to build or fetch with', () => {
    expect(of('FROM')).toHaveLength(2);
    expect(last.filter((line) => line.startsWith('RUN '))).toEqual([]);
    expect(
      last.filter((line) => line.startsWith('COPY ')).every((line) => line.includes('--from=build')),
    ).toBe(true);
  });

  it('installs what the lock file says, and prunes by the script that is tested here', () => {
    expect(of('RUN').some((line) => line.endsWith('npm ci'))).toBe(true);
    expect(of('RUN').at(-1)).toContain('node infra/images/dist/main.js ${SERVICE} /app');
    // Else the image would compute on its CPU, and say so in its log alone.
    expect(of('RUN').at(-1)?.endsWith(' --cuda')).toBe(name === 'Dockerfile.gpu');
  });

  it('runs as a user who is not root, with a health check, as the process itself', () => {
    expect(last).toContain('USER 65532:65532');
    expect(last.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true);
    expect(last).toContain('ENTRYPOINT ["node", "/app/main.mjs"]');
  });

  it('has no secret and no address of a registry', () => {
    expect(lines.join('\n')).not.toMatch(/https?:\/\/(?!127)|TOKEN|PASSWORD/);
  });
});
