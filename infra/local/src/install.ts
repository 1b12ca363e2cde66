/** Installs a program into the cache folder, by Go, in the version that we pin. Several processes may do so at once. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedPath, findProgram } from './find.js';
import { downloadModule, go } from './go.js';
import { type Program, type ProgramName, PROGRAMS } from './programs.js';

/** Less to link and to keep: nobody debugs these programs here. */
const LINKER_FLAGS = '-s -w';

/**
 * The path of the program, which is built where it is not there yet (40 s to 9 min with an empty Go cache).
 * @param say gets a line before something takes long
 * @throws {Error} where Go is missing or the build fails
 */
export async function installProgram(name: ProgramName, say: (line: string) => void): Promise<string> {
  const found = findProgram(name);
  if (found !== undefined) return found;
  const program: Program = PROGRAMS[name];
  const target = cachedPath(name);
  const folder = dirname(target);
  await mkdir(dirname(folder), { recursive: true });
  say(`Building ${name} ${program.version} with Go (once) ...`);
  const building = await mkdtemp(`${folder}.building-`);
  try {
    await build(name, program, building);
    await mkdir(folder, { recursive: true });
    await rename(join(building, name), target);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return target;
}

/** Leaves the program in `folder`. */
async function build(name: ProgramName, program: Program, folder: string): Promise<void> {
  const { source, version, build: how = { kind: 'install' } } = program;
  const versioned = `${source}@${version}`;
  switch (how.kind) {
    case 'install': {
      const tags = how.tags === undefined ? [] : ['-tags', how.tags];
      await go(['install', '-ldflags', LINKER_FLAGS, ...tags, versioned], { GOBIN: folder });
      return;
    }
    case 'module': {
      const made = ['-o', join(folder, name), `./${how.folder}`];
      const module = await downloadModule(versioned);
      await go(['build', '-C', module, '-mod=readonly', '-ldflags', LINKER_FLAGS, ...made]);
      return;
    }
    case 'tool': {
      const module = fileURLToPath(new URL(`../go/${how.folder}`, import.meta.url));
      const flags =
        how.versionIn === undefined ? LINKER_FLAGS : `${LINKER_FLAGS} -X ${how.versionIn}=${version}`;
      const made = ['-o', join(folder, name), posix.join(source, how.command)];
      await go(['build', '-C', module, '-mod=readonly', '-ldflags', flags, ...made]);
      return;
    }
    case 'collector': {
      const manifest = fileURLToPath(new URL(`../${how.manifest}`, import.meta.url));
      const config = join(folder, 'manifest.yaml');
      const dist = `dist:\n  name: ${name}\n  version: ${version.slice(1)}\n  output_path: ${folder}\n`;
      await writeFile(config, dist + (await readFile(manifest, 'utf8')));
      await go(['run', versioned, '--config', config, '--ldflags', LINKER_FLAGS]);
    }
  }
}
