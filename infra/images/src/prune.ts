/**
 * A built service with nothing but what it runs on: its own code, our libraries and other people's packages that it
 * depends on, in the layout of the workspace. Every package stays where Node found it, so it finds the same versions.
 * Sources, types, maps and the binaries of other platforms are left out.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type BilledPackage, sbomOf } from './sbom.js';

export interface PruneOptions {
  /** The workspace, installed and built. */
  readonly root: string;
  /** A folder of `services`. */
  readonly service: string;
  /** Made anew. */
  readonly out: string;
  /** Of the image: what `process.platform` and `process.arch` say there. */
  readonly platform: string;
  readonly arch: string;
}

export interface PrunedService {
  /** `name@version` of everything that was copied, in order. */
  readonly packages: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly license?: unknown;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** What starts the service in its new folder, whatever its name. */
export const ENTRY = 'main.mjs';
/** What is in the folder, for scanners. */
export const BILL = 'sbom.cdx.json';

/** Of our own packages: what they are built from and tested with. */
const OWN_LEFT_OUT = new Set(['src', 'out-tsc', 'test-results', 'node_modules', 'vitest.config.ts']);
const isBuildFile = (name: string): boolean => /^tsconfig.*\.json$|\.tsbuildinfo$/.test(name);
/** Of every package: for compilers and debuggers. */
const isForTools = (name: string): boolean => /\.d\.[mc]?ts$|\.map$/.test(name);
/** `bin/napi-v6/<platform>/<arch>` of onnxruntime-node, 290 MB for all of them. */
const PLATFORM_FOLDER = /[/\\]onnxruntime-node[/\\]bin[/\\]napi-v\d+[/\\](\w+)(?:[/\\](\w+))?/;

/** Errors: names a dependency that is not installed, and a service that is not built. */
export async function prune({ root, service, out, platform, arch }: PruneOptions): Promise<PrunedService> {
  const entry = join('services', service);
  if (!existsSync(join(root, entry, 'dist', 'main.js')))
    throw new Error(`${entry} has no dist/main.js; build it first`);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const keep = (path: string): boolean => {
    const [, onPlatform, onArch] = PLATFORM_FOLDER.exec(path) ?? [];
    return (onPlatform ?? platform) === platform && (onArch ?? arch) === arch && !isForTools(basename(path));
  };
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as LockFile;
  const copied = new Map<string, BilledPackage>();
  const queue = [entry];
  for (let place = queue.pop(); place !== undefined; place = queue.pop()) {
    if (copied.has(place)) continue;
    const from = await realpath(join(root, place));
    const manifest = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as Manifest;
    copied.set(place, {
      name: manifest.name,
      version: manifest.version,
      license: typeof manifest.license === 'string' ? manifest.license : undefined,
      integrity: lock.packages[place.split(sep).join('/')]?.integrity,
    });
    const own = !from.includes(`${sep}node_modules${sep}`);
    await cp(from, join(out, place), {
      recursive: true,
      filter: (path) => keep(path) && (own ? keepOwn(from, path) : !isNested(from, path)),
    });
    for (const [name, needed] of dependenciesOf(manifest)) {
      const found = resolvePackage(root, place, from, name);
      if (found !== undefined) queue.push(found);
      else if (needed) throw new Error(`${manifest.name} needs ${name}, which is not installed`);
    }
  }
  await writeFile(join(out, ENTRY), `import './services/${service}/dist/main.js';\n`);
  const [own, ...others] = copied.values();
  await writeFile(join(out, BILL), `${JSON.stringify(sbomOf(own, others), null, 2)}\n`);
  return { packages: [...copied.values()].map(({ name, version }) => `${name}@${version}`).sort() };
}

const keepOwn = (package_: string, path: string): boolean =>
  !(dirname(path) === package_ && OWN_LEFT_OUT.has(basename(path))) && !isBuildFile(basename(path));

/** Packages inside of a package are found, and copied, one by one. */
const isNested = (package_: string, path: string): boolean =>
  relative(package_, path).split(sep).includes('node_modules');

/** Types alone; some packages depend on them all the same. */
const isTypes = (name: string): boolean => name.startsWith('@types/');

/** Each with whether it must be there. */
function dependenciesOf(manifest: Manifest): [name: string, needed: boolean][] {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifest;
  const isOptionalPeer = (name: string) => manifest.peerDependenciesMeta?.[name]?.optional === true;
  const found: [string, boolean][] = [
    ...Object.keys(dependencies)
      .filter((name) => !(name in optionalDependencies))
      .map((name): [string, boolean] => [name, true]),
    ...Object.keys(optionalDependencies).map((name): [string, boolean] => [name, false]),
    // An optional peer that others brought along would be loaded, but is not asked for: vitest, for one.
    ...Object.keys(peerDependencies)
      .filter((name) => !isOptionalPeer(name))
      .map((name): [string, boolean] => [name, true]),
  ];
  return found.filter(([name]) => !isTypes(name));
}

/** Where Node would find it, relative to the root: beside the package itself, then outwards. */
function resolvePackage(root: string, place: string, from: string, name: string): string | undefined {
  if (existsSync(join(from, 'node_modules', name, 'package.json'))) return join(place, 'node_modules', name);
  for (let folder = dirname(place); ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (basename(folder) !== 'node_modules' && existsSync(join(root, found, 'package.json'))) return found;
    if (folder === '.') return undefined;
  }
}
