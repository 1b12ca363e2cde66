/**
 * Fields that a validator never looks at: those that its schema does not know. The typed schemas say what is wrong with
 * a known field and nothing of an unknown one, so a misspelt `resource` would pass; the API server refuses it.
 */
export function unreadFields<T extends object>(value: T, validate: (watched: T) => void): string[] {
  const read = new Set<string>();
  validate(watch(value, '', read));
  return pathsOf(value, '').filter((path) => !read.has(path));
}

function watch<T extends object>(value: T, path: string, read: Set<string>): T {
  return new Proxy(value, {
    get(target, key) {
      const child: unknown = Reflect.get(target, key);
      if (typeof key !== 'string') return child;
      const at = `${path}/${key}`;
      read.add(at);
      return typeof child === 'object' && child !== null ? watch(child, at, read) : child;
    },
  });
}

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    `${path}/${key}`,
    ...pathsOf(child, `${path}/${key}`),
  ]);
}
