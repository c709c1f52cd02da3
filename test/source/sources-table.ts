import { loadSource } from '../../src/options/source-by-name.ts'
import type { SourceLimits } from '../../src/index.ts'

// The last two columns of the table of sources, made from the limits of the sources.

export const sourcesPage = new URL('../../docs/sources/README.md', import.meta.url)

/** Replaces the last two cells of each row that names a source, or adds them. */
export async function withTimes(text: string): Promise<string> {
  const lines = await Promise.all(text.split('\n').map(lineWithTimes))
  return lines.join('\n')
}

const handWritten = 5

async function lineWithTimes(line: string): Promise<string> {
  const [, name = ''] = /^\| \[[^\]]*\]\([^)]*\) \| `(\w+)` \|/.exec(line) ?? []
  const source = await loadSource(name)
  if (source === undefined) return line
  const cells = line.split('|').slice(1, 1 + handWritten)
  const { answer = 'not documented', retry = 'not documented' } = shownLimits(source.limits)
  return `|${cells.join('|')}| ${answer} | ${retry} |`
}

/** The times as the pages write them. */
export function shownLimits({ answerMs, retryMs }: SourceLimits = {}): {
  readonly answer: string | undefined
  readonly retry: string | undefined
} {
  return {
    answer: answerMs === undefined ? undefined : `${answerMs / 1_000} s`,
    retry: retryMs === undefined ? undefined : shownSpan(retryMs / 60_000)
  }
}

function shownSpan(minutes: number): string {
  const hours = Math.floor(minutes / 60)
  if (minutes % 60 !== 0) return hours < 2 ? `${minutes} minutes` : `${hours} h ${minutes % 60} min`
  if (hours % 24 === 0 && hours > 24) return `${hours / 24} days`
  return hours === 1 ? '1 hour' : `${hours} hours`
}
