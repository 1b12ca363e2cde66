/** Installs a program into the cache folder, by Go, in the version that we pin. Several processes may do so at once. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cachedPath, findProgram } from './find.js';
import { type ProgramName, PROGRAMS } from './programs.js';

/**
 * The path of the program, which is built where it is not there yet (40 s to 3 min with an empty Go cache).
 * @param say gets a line before something takes long
 * @throws {Error} where Go is missing or the build fails
 */
export async function installProgram(name: ProgramName, say: (line: string) => void): Promise<string> {
  const found = findProgram(name);
  if (found !== undefined) return found;
  const { source, version } = PROGRAMS[name];
  const target = cachedPath(name);
  const folder = dirname(target);
  await mkdir(dirname(folder), { recursive: true });
  say(`Building ${name} ${version} with Go (once) ...`);
  const building = await mkdtemp(`${folder}.building-`);
  try {
    await go(['install', '-ldflags', '-s -w', `${source}@${version}`], building);
    await mkdir(folder, { recursive: true });
    await rename(join(building, name), target);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return target;
}

function go(args: readonly string[], bin: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      env: { ...process.env, GOBIN: bin, GOFLAGS: '-buildvcs=false' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
    child.on('error', (cause) => {
      reject(new Error('Go could not be started; install it from https://go.dev/dl', { cause }));
    });
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`go ${args.join(' ')} failed:\n${said}`));
    });
  });
}
