/**
 * The Python environment of the peers: a virtual environment in the cache, with what `peers/requirements.txt` pins. It is
 * installed once per content of that file. Where it cannot be had, benches say so and go on without.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, digestOf, peerFile } from './cache.js';

const INTERPRETERS = ['python3', 'python'];
/** The oldest that the pinned peers install on. */
const MINIMUM = [3, 10] as const;
const LAST_LINES = 5;

/** The peers cannot be had on this machine, for the reason that the message gives. */
export class NoPeer extends Error {
  override readonly name = 'NoPeer';
}

/** They choose kernels for old builds of OpenBLAS, and would slow a new one down. */
const NOT_FOR_PEERS: ReadonlySet<string> = new Set(['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE']);

/** What a peer's process sees. Python would leave compiled scripts beside ours. */
export const peerEnvironment = (environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(environment).filter(([name]) => !NOT_FOR_PEERS.has(name))),
  PYTHONDONTWRITEBYTECODE: '1',
});

/**
 * Runs a command to its end; its lines are passed on as they come.
 * @throws Error with the last lines, where it cannot be started or fails
 */
export function runToEnd(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: peerEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const last: string[] = [];
    const read = (data: Buffer): void => {
      for (const line of data
        .toString()
        .split('\n')
        .filter((text) => text.trim() !== '')) {
        onLine(line);
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${code ?? signal}: ${last.join(' | ')}`));
    });
  });
}

async function interpreter(): Promise<string> {
  const found: string[] = [];
  for (const command of INTERPRETERS) {
    try {
      const { stdout } = await promisify(execFile)(command, ['--version']);
      const [major, minor] = stdout.replace('Python ', '').split('.').map(Number);
      if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return command;
      found.push(`${command} is ${stdout.trim()}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new NoPeer(
    `Python ${MINIMUM.join('.')} or newer is needed${found.map((one) => `; ${one}`).join('')}`,
  );
}

const pip = (bin: string, args: readonly string[], log: (line: string) => void): Promise<void> =>
  runToEnd(bin, ['-m', 'pip', 'install', '--disable-pip-version-check', ...args], log);

/** Runs `install` unless it ended well before, for the same content of the files. @throws NoPeer where it fails */
async function once(stamp: string, files: readonly string[], install: () => Promise<void>): Promise<void> {
  const wanted = digestOf(files);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  try {
    rmSync(stamp, { force: true });
    await install();
  } catch (error) {
    if (error instanceof NoPeer) throw error;
    throw new NoPeer(`the peers could not be installed: ${(error as Error).message}`, { cause: error });
  }
  writeFileSync(stamp, wanted);
}

/**
 * The environment's interpreter, installed on first use: some minutes, about 6 GB. `further` names another list of
 * `peers/`, for one part of the bench alone.
 * @throws NoPeer where there is no Python, or the packages cannot be installed
 */
export async function python(log: (line: string) => void, further?: string): Promise<string> {
  const requirements = peerFile('requirements.txt');
  const folder = join(cacheFolder(), 'venv');
  const bin =
    process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
  await once(join(folder, 'facet-requirements'), [requirements], async () => {
    const command = await interpreter();
    log(`installing the peers into ${folder}: some minutes, about 6 GB, once`);
    mkdirSync(dirname(folder), { recursive: true });
    await runToEnd(command, ['-m', 'venv', folder]);
    await pip(bin, ['-r', requirements], log);
  });
  if (further !== undefined)
    await once(join(folder, `facet-${further}`), [requirements, peerFile(further)], () =>
      pip(bin, ['-r', peerFile(further), '-c', requirements], log),
    );
  return bin;
}
