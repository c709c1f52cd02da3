import { readFileSync } from 'node:fs'

export const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The README's code blocks, by the name in the comment before each. */
export const snippets: ReadonlyMap<string, string> = new Map(
  [...readme.matchAll(/(?:<!-- run: (\S+) -->\n)?```(ts|js|sh)\n([\s\S]*?)```/g)].map(([, name, , code = '']) => [
    name ?? code.trim(),
    code
  ])
)
