/** `transfer.json`: what attacks on one model do to the others. */
import { z } from 'zod';
import { Digest, Ref } from './names.js';
import { EvaluationPlan, NORMS, ObjectiveName } from './plan.js';

const Rate = z.number().min(0).max(1);

export const TransferReport = z.strictObject({
  schema: z.literal('facet.transfer-report/v1'),
  /** Rows and columns of the matrices, in their order. */
  models: z.array(Ref.extend({ sha256: Digest, evaluation: z.string(), threshold: z.number() })),
  dataset: Ref.extend({ digest: Digest }),
  plan: EvaluationPlan,
  matrices: z.array(
    z.strictObject({
      cell: z.string(),
      facet: z.string(),
      objective: ObjectiveName,
      search: z.string(),
      norm: z.enum(NORMS),
      epsilon: z.number(),
      /** [source][target]: success of the source's images among the target's own right decisions. */
      success: z.array(
        z.array(
          z.strictObject({
            attempted: z.int(),
            succeeded: z.int(),
            rate: Rate.nullable(),
            /** 95 % Wilson score interval. */
            interval: z.tuple([Rate, Rate]).nullable(),
          }),
        ),
      ),
    }),
  ),
  provenance: z.strictObject({ facet: z.string(), backend: z.string(), cpu: z.string() }),
});
export type TransferReport = z.infer<typeof TransferReport>;
