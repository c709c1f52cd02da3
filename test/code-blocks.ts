import { readFileSync } from 'node:fs'

/**
 * The code blocks of a document, by the name in the comment before each: `<!-- run: NAME -->`. A block without one is
 * named by its text. Blocks of the kind `text` are not run.
 */
export function blocks(document: string): ReadonlyMap<string, string> {
  const text = readFileSync(new URL(`../${document}`, import.meta.url), 'utf8')
  return new Map(
    [...text.matchAll(/(?:<!-- run: (\S+) -->\n)?^```(?!text)\w+\n([\s\S]*?)^```/gm)].map(([, name, code = '']) => [
      name ?? code.trim(),
      code
    ])
  )
}
