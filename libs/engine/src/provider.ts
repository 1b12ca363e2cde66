/**
 * Which execution provider computes: found out by a small session in a process of its own, since a driver may take its
 * process with it. Models from outside are opened on the CPU first, whatever computes later.
 */
import { ProcessPool, WorkerCrashed } from '@facet/threads';
import { machineMemoryBytes, type Provider } from './settings.js';

export const PROVIDER_WISHES = ['auto', 'cpu', 'cuda', 'webgpu'] as const;
export type ProviderWish = (typeof PROVIDER_WISHES)[number];

/** What `auto` tries, the fastest first; the CPU is always there. */
const ACCELERATORS: readonly Provider[] = ['cuda', 'webgpu'];

const TIMEOUT_MS = 60_000;
const GIB = 2 ** 30;
const LONGEST_REASON = 240;

export interface ProviderProbe {
  readonly provider: Provider;
  /** What is in the way; undefined where it computes. */
  readonly problem: string | undefined;
}

/** FACET_PROVIDER; `auto` unless set. @throws RangeError naming the variable */
export function providerWish(environment: NodeJS.ProcessEnv = process.env): ProviderWish {
  const text = environment['FACET_PROVIDER'] ?? '';
  if (text === '') return 'auto';
  const wish = PROVIDER_WISHES.find((name) => name === text.toLowerCase());
  if (wish === undefined)
    throw new RangeError(`FACET_PROVIDER is "${text}"; it must be one of ${PROVIDER_WISHES.join(', ')}`);
  return wish;
}

/** In one line, without ONNX Runtime's name for the place in its sources. */
function reasonOf(error: unknown): string {
  const text = error instanceof WorkerCrashed ? error.reason : (error as Error).message;
  const [line] = text.replace(/^(model|node '[^']*'): ONNX Runtime [^:]*: /, '').split('\n');
  const told = line.split('was false. ').at(-1) ?? line;
  return told.slice(0, LONGEST_REASON);
}

/** Tries each provider in turn. The processes see the whole environment, as drivers need it. */
export async function probeProviders(providers: readonly Provider[]): Promise<ProviderProbe[]> {
  const environment = Object.entries(process.env).filter(([, value]) => value !== undefined);
  const pool = new ProcessPool({
    name: 'providers',
    url: new URL('../dist/worker.js', import.meta.url),
    size: 1,
    // Drivers map a great deal; the limit is for one that swells.
    memoryBytes: Math.max(8 * GIB, machineMemoryBytes() / 2),
    silenceMs: TIMEOUT_MS,
    environment: Object.fromEntries([
      ...environment,
      ['ORT_DISABLE_TELEMETRY', '1'],
      ['NODE_OPTIONS', ''],
    ]) as Record<string, string>,
  });
  try {
    const probes: ProviderProbe[] = [];
    for (const provider of providers) {
      const problem = await pool.run('probe', provider).then(() => undefined, reasonOf);
      probes.push({ provider, problem });
    }
    return probes;
  } finally {
    await pool.close();
  }
}

export interface ProviderChoice {
  readonly provider: Provider;
  /** For the log: what computes, and why nothing faster. */
  readonly line: string;
}

/**
 * The provider that a wish leads to.
 *
 * @throws Error where the one that was named does not compute here, with the reason
 */
export async function chooseProvider(wish: ProviderWish): Promise<ProviderChoice> {
  if (wish === 'cpu') return { provider: 'cpu', line: 'computing on the CPU, as asked' };
  const wanted = wish === 'auto' ? ACCELERATORS : [wish];
  const missing: string[] = [];
  for (const provider of wanted) {
    const [{ problem }] = await probeProviders([provider]);
    if (problem === undefined) return { provider, line: `computing on ${provider}` };
    missing.push(`${provider}: ${problem}`);
  }
  if (wish !== 'auto')
    throw new Error(
      `FACET_PROVIDER asks for ${wish}, which does not compute here: ${missing.join('; ')}. See facet doctor`,
    );
  return { provider: 'cpu', line: `computing on the CPU (${missing.join('; ')})` };
}
