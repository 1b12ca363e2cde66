/** Servers that start, survive being taken away, speak TLS, and never outlive us. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCertificates } from './certificates.js';
import { Child } from './child.js';
import { cachedPath, findProgram, programsFound } from './find.js';
import { startNats } from './nats.js';
import { type Program, PROGRAM_NAMES, type ProgramName, PROGRAMS } from './programs.js';
import { startMinio, startVersitygw } from './s3.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'facet-local-test-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves when no process has that id any more. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What is found of a program where this script of that name is the only thing on the PATH, and the cache is empty. */
async function foundBeside(name: ProgramName, script: string): Promise<string | undefined> {
  const folder = await temporary();
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const [path, cache] = [process.env['PATH'], process.env['FACET_CACHE']];
  process.env['PATH'] = folder;
  process.env['FACET_CACHE'] = folder;
  try {
    expect(cachedPath(name).startsWith(folder)).toBe(true);
    return findProgram(name);
  } finally {
    process.env['PATH'] = path;
    if (cache === undefined) delete process.env['FACET_CACHE'];
    else process.env['FACET_CACHE'] = cache;
  }
}

describe('a program on the PATH', () => {
  it('that says that it is the one is taken', async () => {
    expect(await foundBeside('mc', 'echo "mc version RELEASE.2025"')).toMatch(/\/mc$/);
  });

  it('of the same name that is another one is not', async () => {
    expect(await foundBeside('mc', 'echo "GNU Midnight Commander 4.8"')).toBeUndefined();
  });

  it('that cannot say which it is, is not', async () => {
    expect(await foundBeside('keda-operator', 'exit 0')).toBeUndefined();
  });
});

describe('a program that is a tool of a module of ours', () => {
  const tools = PROGRAM_NAMES.map((name) => PROGRAMS[name]).flatMap((program: Program) =>
    program.build?.kind === 'tool' ? [{ ...program, build: program.build }] : [],
  );

  it.each(tools)(
    '$source $build.command comes in the version that names its place',
    async ({ source, version, build }) => {
      const module = await readFile(new URL(`../go/${build.folder}/go.mod`, import.meta.url), 'utf8');
      expect(module).toMatch(new RegExp(`^(require|\\t)\\s*${source} ${version}\\b`, 'm'));
      expect(module).toContain(posix.join(source, build.command));
    },
  );
});

describe('a child', () => {
  it('says what went wrong, and can be killed twice', async () => {
    const child = await Child.start('/bin/sh', ['-c', 'echo no luck >&2; exec sleep 1000']);
    expect(child.isRunning).toBe(true);
    await expect.poll(() => child.said).toContain('no luck');
    await child.kill();
    await child.kill();
    expect(child.isRunning).toBe(false);
    await ended(child.pid);
  });

  it('is gone when its parent is killed', async () => {
    const folder = await temporary();
    const script = join(folder, 'parent.mjs');
    const module = new URL('../dist/child.js', import.meta.url).href;
    await writeFile(
      script,
      `import { Child } from ${JSON.stringify(module)};
       const child = await Child.start('/bin/sleep', ['1000']);
       console.log(child.pid);
       setInterval(() => undefined, 1000);`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number.parseInt(line.toString(), 10);
    expect(() => process.kill(pid, 0)).not.toThrow();
    parent.kill('SIGKILL');
    await ended(pid);
  });
});

describe.skipIf(!programsFound('nats-server'))('NATS', () => {
  it('starts, is taken away and comes back on its port with its data, and leaves nothing', async () => {
    const { server, monitorUrl } = await startNats();
    cleanups.push(() => server.stop());
    const { port, pid } = server;
    await server.kill();
    await expect(fetch(`${monitorUrl}/healthz`)).rejects.toThrow();
    await server.revive();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    const info = (await (await fetch(`${monitorUrl}/jsz`)).json()) as { config: { store_dir: string } };
    expect(info.config.store_dir.startsWith(server.folder)).toBe(true);
    await server.stop();
    expect(existsSync(server.folder)).toBe(false);
  });

  it('says why it does not start', async () => {
    await expect(startNats({ config: 'nonsense {' })).rejects.toThrow(
      /nats-server ended while it started: .+/s,
    );
  });

  it('speaks TLS under a certificate of ours', async () => {
    const tls = await makeCertificates(await temporary());
    const { server, url } = await startNats({ tls });
    cleanups.push(() => server.stop());
    expect(url).toBe(`tls://127.0.0.1:${server.port}`);
  });
});

describe.skipIf(!programsFound('minio'))('MinIO', () => {
  it('starts, and speaks TLS under a certificate of ours', async () => {
    const tls = await makeCertificates(await temporary());
    const { server, url } = await startMinio({ tls });
    cleanups.push(() => server.stop());
    const ca = await readFile(tls.ca);
    const sent = request(`${url}/minio/health/live`, { ca }).end();
    const [response] = (await once(sent, 'response')) as [{ statusCode: number }];
    expect(response.statusCode).toBe(200);
    const stranger = connect({ port: server.port, host: '127.0.0.1' });
    const [error] = (await once(stranger, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
});

describe.skipIf(!programsFound('versitygw'))('versitygw', () => {
  it('starts', async () => {
    const { server, url } = await startVersitygw();
    cleanups.push(() => server.stop());
    expect((await fetch(url)).status).toBe(403);
  });
});
