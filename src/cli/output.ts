import { once } from 'node:events'
import { styleText } from 'node:util'

import { visible } from '../programs.ts'

/**
 * Text with our own colour codes; text from outside is already escaped. All other text is escaped when it is printed,
 * so that no control character reaches the terminal.
 */
export class Styled {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Format = Parameters<typeof styleText>[0]

/** Colours a text where standard output is a terminal. */
export function style(format: Format, text: string): Styled {
  return new Styled(styleText(format, visible(text)))
}

/** A template whose values may be styled: `styled\`${style('red', 'dead')} ${id}\``. */
export function styled(texts: TemplateStringsArray, ...values: readonly (string | number | Styled)[]): Styled {
  return new Styled(String.raw({ raw: texts }, ...values.map(shown)))
}

/** Joins texts that may be styled. */
export function join(texts: readonly (string | Styled)[], separator: string): Styled {
  return new Styled(texts.map(shown).join(separator))
}

/** The text for the terminal. */
export function shown(text: string | number | Styled): string {
  return text instanceof Styled ? text.text : visible(String(text))
}

export function print(text: string | Styled): void {
  process.stdout.write(`${shown(text)}\n`)
}

/** Prints a line, and waits while its reader is slower: otherwise, a long output would be held in memory. */
export async function printAndWait(text: string): Promise<void> {
  if (process.stdout.write(`${shown(text)}\n`)) return
  await once(process.stdout, 'drain')
}

/** Writes bytes unchanged. For files and pipes only. */
export function printBytes(bytes: Uint8Array): void {
  process.stdout.write(bytes)
}

/** Writes a line to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${visible(text)}\n`)
}

/** One line for each object; its control characters are JSON escapes. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}
