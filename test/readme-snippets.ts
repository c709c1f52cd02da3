import { readFileSync } from 'node:fs'

const names = [
  'backfill',
  'commands',
  'configuration',
  'errors',
  'exactly-once',
  'extending',
  'getting-started',
  'handlers',
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

/** Their code blocks, by the name in the comment before each. */
export const snippets: ReadonlyMap<string, string> = new Map(
  [...readme.matchAll(/(?:<!-- run: (\S+) -->\n)?```(ts|js|sh)\n([\s\S]*?)```/g)].map(([, name, , code = '']) => [
    name ?? code.trim(),
    code
  ])
)
