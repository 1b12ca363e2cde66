/**
 * Builds the addon. TensorFlow.js's own installer downloads from a host that no longer answers (tensorflow/tfjs #8742), so its
 * package is installed without scripts, the library comes out of TensorFlow's wheel, and the binding, two files of C++, is
 * compiled here. Its N-API is the same in every Node, so one build serves all versions.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Addon, addonFolder, type AddonKind, VERSIONS, WHEELS } from './find.js';

const UNPACK = fileURLToPath(new URL('../unpack.py', import.meta.url));
const PACKAGE = join('node_modules', '@tensorflow', 'tfjs-node-gpu');
/** The wheel is the same inside for every Python. */
const WHEEL_TAGS = ['--python-version', '3.11', '--platform', 'manylinux_2_27_x86_64'];
const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'];
const KEPT_CHARACTERS = 2000;

/**
 * The addon of that kind, built where it is not there yet: one to five minutes, a download of 0.4 GB (`cuda` 0.7), 1.2 GB on
 * disk. Several processes may build at once.
 * @param say gets a line before something takes long
 * @throws Error that names the step which failed and what it needs
 */
export async function buildAddon(kind: AddonKind, say: (line: string) => void): Promise<Addon> {
  const folder = addonFolder(kind);
  const addon = { kind, folder, version: VERSIONS.tensorflow };
  if (existsSync(folder)) return addon;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(
      `TensorFlow's addon is built for Linux on x64 only, not for ${process.platform} ${process.arch}`,
    );
  await mkdir(dirname(folder), { recursive: true });
  const building = await mkdtemp(`${folder}.building-`);
  try {
    await assemble(kind, building, say);
    await rename(building, folder);
  } catch (error) {
    // Somebody else was faster.
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return addon;
}

async function assemble(kind: AddonKind, folder: string, say: (line: string) => void): Promise<void> {
  const own = join(folder, PACKAGE);
  const [deps, download, target] = [join(own, 'deps'), join(folder, 'download'), join(own, 'lib', 'napi-v8')];

  say(`Installing @tensorflow/tfjs-node-gpu ${VERSIONS.tfjs} without its scripts ...`);
  const packages = [`@tensorflow/tfjs-node-gpu@${VERSIONS.tfjs}`, `node-api-headers@${VERSIONS.headers}`];
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--prefix', folder];
  await step('npm', 'Node.js with npm', ['install', ...quietly, ...packages]);

  const wheel = `${WHEELS[kind]}==${VERSIONS.tensorflow}`;
  say(`Downloading ${wheel} ...`);
  const only = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', ...WHEEL_TAGS];
  await step('python3', 'Python 3.9 or newer with pip', [
    '-m',
    'pip',
    'download',
    ...only,
    '-d',
    download,
    wheel,
  ]);
  const [file] = await readdir(download);
  await step('python3', 'room for 1.5 GB', [UNPACK, join(download, file), deps]);
  await rm(download, { recursive: true });

  say('Compiling the binding ...');
  await mkdir(target, { recursive: true });
  const include = [join(folder, 'node_modules', 'node-api-headers', 'include'), join(deps, 'include')];
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(own, 'binding', name));
  const libraries = [`-L${join(deps, 'lib')}`, '-ltensorflow', '-ltensorflow_framework'];
  const found = '-Wl,-rpath,$ORIGIN/../../deps/lib';
  const output = ['-o', join(target, 'tfjs_binding.node')];
  const compile = [...FLAGS, ...include.map((one) => `-I${one}`), ...sources, ...libraries, found, ...output];
  await step('g++', 'a C++ compiler', compile);
}

/** Runs a program to its end. @throws Error with its last words */
function step(command: string, needs: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const listen = (text: Buffer): void => {
      said = (said + text.toString()).slice(-KEPT_CHARACTERS);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', (cause) =>
      reject(new Error(`${command} could not be started; ${needs} is needed`, { cause })),
    );
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `${command} ${args[0]} ended with ${code ?? signal} (it needs ${needs}):\n${said.trim()}`,
          ),
        );
    });
  });
}
