/**
 * What an image holds, for scanners: a CycloneDX 1.6 bill of materials of the packages that were copied. No time and no
 * serial number, so that the same packages give the same bytes.
 */

export interface BilledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as its package.json says it. */
  readonly license: string | undefined;
  /** As package-lock.json has it: `sha512-` and base64. Our own packages have none. */
  readonly integrity: string | undefined;
}

const ALGORITHMS: Readonly<Record<string, string>> = { sha512: 'SHA-512', sha256: 'SHA-256', sha1: 'SHA-1' };

export function sbomOf(service: BilledPackage, packages: readonly BilledPackage[]): object {
  const components = packages
    .map(componentOf)
    .toSorted((a, b) => (a.purl < b.purl ? -1 : a.purl > b.purl ? 1 : 0));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { ...componentOf(service), type: 'application' } },
    components: components.filter(({ purl }, i) => purl !== components[i - 1]?.purl),
  };
}

function componentOf({ name, version, license, integrity }: BilledPackage) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(license !== undefined && { licenses: [{ expression: license }] }),
    ...(integrity !== undefined && { hashes: integrity.split(' ').map(hashOf) }),
  };
}

function hashOf(integrity: string): { readonly alg: string; readonly content: string } {
  const [algorithm, digest] = integrity.split(/-(.*)/s);
  const alg = ALGORITHMS[algorithm];
  if (alg === undefined) throw new Error(`package-lock.json has a digest of an unknown kind: ${integrity}`);
  return { alg, content: Buffer.from(digest, 'base64').toString('hex') };
}
