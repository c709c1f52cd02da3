/**
 * Cuts a connection's bytes into HTTP answers. Knows as much of HTTP as the contestants use, and throws at the rest.
 */
export class AnswerReader {
  readonly #onAnswer: (status: number, body: string) => void
  #rest = ''

  constructor(onAnswer: (status: number, body: string) => void) {
    this.#onAnswer = onAnswer
  }

  /** Takes the next bytes, and reports each answer that they complete. */
  push(chunk: Buffer): void {
    this.#rest += chunk.toString('latin1')
    for (;;) {
      const headEnd = this.#rest.indexOf('\r\n\r\n')
      if (headEnd === -1) return
      const head = this.#rest.slice(0, headEnd)
      const length = /\r\ncontent-length: *(\d+)/iu.exec(head)?.[1]
      if (length === undefined) throw new Error(`An answer without Content-Length: ${head}`)
      const bodyStart = headEnd + 4
      const bodyEnd = bodyStart + Number(length)
      if (this.#rest.length < bodyEnd) return
      const body = this.#rest.slice(bodyStart, bodyEnd)
      this.#rest = this.#rest.slice(bodyEnd)
      this.#onAnswer(Number(head.slice(9, 12)), body)
    }
  }
}
