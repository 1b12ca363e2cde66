/** kubectl, as people use it on a cluster: what it printed, and the warnings of the API server that it passed on. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { needProgram } from '@facet/local';

const WARNING = 'Warning: ';

/** The part of an object that every kind has. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface Applied {
  /** A line for each object, such as `deployment.apps/attacks created (server dry run)`. */
  readonly lines: readonly string[];
  /** Without the word before them. */
  readonly warnings: readonly string[];
}

export class Kubectl {
  private readonly path = needProgram('kubectl');

  /** @param home where it keeps what it has learnt of the API server */
  constructor(
    private readonly kubeconfig: string,
    private readonly home: string,
  ) {}

  /**
   * Objects as `kubectl apply` takes them; with `dryRun` the API server admits or refuses them and keeps none.
   * @throws {Error} with what the API server refused
   */
  async apply(objects: readonly object[], { dryRun = false } = {}): Promise<Applied> {
    const args = ['apply', '--filename=-', ...(dryRun ? ['--dry-run=server'] : [])];
    // A stream, not a List, of which kubectl would check fields by itself.
    const stream = objects.map((object) => JSON.stringify(object)).join('\n');
    const { stdout, stderr } = await this.execute(args, stream);
    const warnings = linesOf(stderr).filter((line) => line.startsWith(WARNING));
    return { lines: linesOf(stdout), warnings: warnings.map((line) => line.slice(WARNING.length)) };
  }

  /** Every object of a kind in a namespace, or in the cluster. */
  async list<T = KubeObject>(kind: string, namespace?: string): Promise<T[]> {
    const where = namespace === undefined ? [] : [`--namespace=${namespace}`];
    return (JSON.parse(await this.run('get', kind, '--output=json', ...where)) as { items: T[] }).items;
  }

  /**
   * What it prints.
   * @throws {Error} with its own words, where it fails
   */
  async run(...args: readonly string[]): Promise<string> {
    return (await this.execute(args)).stdout;
  }

  /**
   * Asks for a pod to leave, as a drain does. False where its disruption budget forbids it for now.
   * @throws {Error} where something else does
   */
  async evict(name: string, namespace: string): Promise<boolean> {
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
    try {
      await this.execute(['create', '--filename=-', `--raw=${path}`], JSON.stringify(eviction));
      return true;
    } catch (error) {
      if ((error as Error).message.includes("would violate the pod's disruption budget")) return false;
      throw error;
    }
  }

  private async execute(
    args: readonly string[],
    input = '',
  ): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const child = spawn(this.path, args, {
      env: { ...process.env, KUBECONFIG: this.kubeconfig, HOME: this.home },
    });
    child.stdin.on('error', () => undefined).end(input);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
    return { stdout, stderr };
  }
}

const linesOf = (output: string): string[] => output.split('\n').filter((line) => line !== '');
