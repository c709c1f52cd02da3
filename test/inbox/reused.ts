import type { Test } from 'tap'

/** Names of what is costly to make: one that a test has done with is emptied for the next one. */
export class Reused {
  /** Emptied, and in nobody's hands. */
  readonly unused: string[] = []
  readonly #make: () => Promise<string>
  readonly #empty: (name: string) => Promise<unknown>

  constructor(make: () => Promise<string>, empty: (name: string) => Promise<unknown>) {
    this.#make = make
    this.#empty = empty
  }

  async take(t: Pick<Test, 'teardown'>): Promise<string> {
    const name = this.unused.pop() ?? (await this.#make())
    t.teardown(async () => {
      await this.#empty(name)
      this.unused.push(name)
    })
    return name
  }
}
