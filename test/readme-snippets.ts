import { readFileSync } from 'node:fs'

const names = [
  'admin',
  'backfill',
  'commands',
  'configuration',
  'errors',
  'exactly-once',
  'extending',
  'getting-started',
  'handlers',
  'oauth',
  'observe',
  'performance',
  'postgresql',
  'recipes',
  'registration',
  'testing',
  'upgrade'
]

/** The text of the README and of the documents that continue it. Other documents have separate tests. */
export const readme = ['README.md', ...names.map((name) => `docs/${name}.md`)]
  .map((path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'))
  .join('\n')

/**
 * Their code blocks, by the name in the comment before each. Blocks of shell commands without a name are checked by
 * test/docs.test.ts.
 */
export const snippets: ReadonlyMap<string, string> = new Map(
  Array.from(
    readme.matchAll(/(?:<!-- run: (.+?) -->\n)?^```(ts|js|json|sh)\n([\s\S]*?)^```/gm),
    ([, name, kind, code = '']) => [name, kind, code] as const
  )
    .filter(([name, kind]) => name !== undefined || kind !== 'sh')
    .map(([name, , code]) => [name ?? code.trim(), code])
)
