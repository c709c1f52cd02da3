/** Counts answers, so that a kill comes after the same number of answers on a slow machine as on a fast one. */
export class Answers {
  #count = 0
  readonly #waiting = new Set<{ readonly at: number; readonly resolve: () => void }>()

  add(): void {
    this.#count += 1
    for (const waiter of this.#waiting) {
      if (this.#count < waiter.at) continue
      this.#waiting.delete(waiter)
      waiter.resolve()
    }
  }

  /** Resolves when `count` more answers have been counted. */
  more(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    if (count <= 0) resolve(undefined)
    else
      this.#waiting.add({
        at: this.#count + count,
        resolve: () => {
          resolve(undefined)
        }
      })
    return promise
  }
}
