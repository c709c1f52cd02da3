/** Characters without a shape, those that change the order of others, and halves of characters. */
const invisible = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Text of others, to be shown: what cannot be seen becomes an escape, such as `\u202e`. */
export function visible(text: string): string {
  return text.replace(invisible, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })
}

const numbers = new Intl.NumberFormat('en')

export function count(value: number): string {
  return numbers.format(value)
}

/** `1 event`, `2 events`, `2 deliveries`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${value === 1 ? noun : plural(noun)}`
}

function plural(noun: string): string {
  return /[^aeou]y$/u.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`
}
