/** Which objects a service may read and write, as a policy document that MinIO and S3 take. */

export interface StoreRights {
  /** Beginnings of keys; `*` stands for any characters. What is written may also be read. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

const READ = ['s3:GetObject'];
const WRITE = ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];

/**
 * Least privilege on contents; names may be listed in the whole bucket, since S3 tells "not there" from "not allowed"
 * only to who may list it.
 */
export function policyDocument(bucket: string, { reads, writes }: StoreRights): object {
  const objects = (prefixes: readonly string[]) =>
    [...new Set(prefixes)].toSorted().map((prefix) => `arn:aws:s3:::${bucket}/${prefix}*`);
  const allow = (Action: readonly string[], Resource: readonly string[]) =>
    Resource.length === 0 ? [] : [{ Effect: 'Allow', Action, Resource }];
  return {
    Version: '2012-10-17',
    Statement: [
      ...allow(['s3:ListBucket', 's3:GetBucketLocation'], [`arn:aws:s3:::${bucket}`]),
      ...allow(READ, objects([...reads, ...writes])),
      ...allow(WRITE, objects(writes)),
    ],
  };
}
