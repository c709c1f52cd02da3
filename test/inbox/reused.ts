import type { Test } from 'tap'

/** Names of objects that are expensive to create. A test empties its object and passes it to the next test. */
export class Reused {
  /** Emptied and not in use. */
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
