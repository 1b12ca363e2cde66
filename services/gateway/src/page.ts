/** The OpenAPI document as a page for people: one file, no script, nothing loaded from anywhere. */

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly 'x-facet-access': string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, object>> }>
  >;
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1b1f; background: #fff }
h2 { margin-top: 2.5rem; text-transform: capitalize; border-bottom: 1px solid #ccc }
code, pre { font: 14px/1.45 ui-monospace, monospace }
details { margin: .4rem 0; border: 1px solid #d5d5da; border-radius: 6px; padding: .4rem .8rem }
summary { cursor: pointer }
.method { display: inline-block; min-width: 4.2em; font-weight: 700 }
.role { float: right; font-size: .85em; color: #555 }
pre { overflow-x: auto; background: #f5f5f7; padding: .6rem; border-radius: 4px }
@media (prefers-color-scheme: dark) { body { color: #e8e8ec; background: #16161a } pre { background: #222228 } details { border-color: #3a3a42 } .role { color: #aaa } }
`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char]);
const block = (value: unknown): string => `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;

function operationPart(path: string, method: string, operation: Operation): string {
  const { operationId, summary, parameters = [], requestBody, responses } = operation;
  const rows = parameters.map(
    ({ name, in: place, required }) =>
      `<li><code>${escape(name)}</code> (${place}${required ? '' : ', optional'})</li>`,
  );
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<p>Body: <code>${escape(type)}</code></p>${block(schema)}`,
  );
  const answers = Object.entries(responses).map(
    ([status, { description, content = {} }]) =>
      `<li><b>${status}</b> ${escape(description)} <code>${escape(Object.keys(content).join(', '))}</code></li>`,
  );
  return `<details id="${operationId}"><summary><span class="method">${method.toUpperCase()}</span>
<code>${escape(path)}</code> <span class="role">${operation['x-facet-access']}</span><br>${escape(summary)}</summary>
${rows.length > 0 ? `<ul>${rows.join('')}</ul>` : ''}${bodies.join('')}<ul>${answers.join('')}</ul></details>`;
}

export function documentationPage(document: Readonly<Record<string, unknown>>): string {
  const { title, version, summary } = document['info'] as Record<string, string>;
  const paths = document['paths'] as Record<string, Record<string, Operation>>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0]))];
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags[0] === tag);
    const parts = own.map(({ path, method, operation }) => operationPart(path, method, operation));
    return `<h2>${escape(tag)}</h2>${parts.join('\n')}`;
  });
  const { schemas } = document['components'] as { schemas: Record<string, object> };
  const described = Object.entries(schemas).map(
    ([name, schema]) => `<details><summary><code>${escape(name)}</code></summary>${block(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)} API</title><style>${STYLE}</style></head><body>
<h1>${escape(title)} ${escape(version)}</h1><p>${escape(summary)}</p>
<p>Send a token as <code>Authorization: Bearer facet_...</code>. On the right of each route stands the least role that
may use it. The same as a document: <a href="/openapi.json"><code>/openapi.json</code></a> (OpenAPI 3.1).</p>
${sections.join('\n')}
<h2>Schemas</h2>${described.join('\n')}
</body></html>
`;
}
