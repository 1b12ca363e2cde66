/** What the manifests ask for, so that it can be held against what was used. */
import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const Workload = z.looseObject({
  kind: z.enum(['Deployment', 'StatefulSet']),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.tuple([
          z.looseObject({
            resources: z.looseObject({
              requests: z.looseObject({ memory: z.string(), cpu: z.union([z.string(), z.number()]) }),
              limits: z.looseObject({ memory: z.string() }),
            }),
          }),
        ]),
      }),
    }),
  }),
});

const UNITS: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024 };

export function mebibytes(quantity: string): number {
  const [, amount, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  if (unit === undefined) throw new Error(`memory of ${quantity} is not read here; write it in Mi or Gi`);
  return Number(amount) * UNITS[unit];
}

/** @param file below `k8s`, such as `base/attacks.yaml` */
export async function requestOf(file: string): Promise<{ memoryMiB: number; limitMiB: number }> {
  const text = await readFile(new URL(`../../../../k8s/${file}`, import.meta.url), 'utf8');
  for (const document of parseAllDocuments(text)) {
    const found = Workload.safeParse(document.toJS());
    if (!found.success) continue;
    const { requests, limits } = found.data.spec.template.spec.containers[0].resources;
    return { memoryMiB: mebibytes(requests.memory), limitMiB: mebibytes(limits.memory) };
  }
  throw new Error(`k8s/${file} has no workload with requests`);
}
