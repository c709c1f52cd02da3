/** How a call of the API fails. */
export type Fault =
  /** An error answer in the provider's form. */
  | { readonly status: number; readonly retryAfter?: number }
  /** No answer at all. */
  | 'hang'
  /** The connection is cut before the call takes effect. */
  | 'cut-before'
  /** The call takes effect, but its answer is lost. */
  | 'cut-after'
  /** 200 with broken JSON. */
  | 'malformed'
  /** The page of a gateway instead of JSON. */
  | 'html'

export interface FaultFilter {
  readonly method?: string | undefined
  /** Only calls whose path begins with this. */
  readonly path?: string | undefined
  /** The number of matching calls that succeed first. */
  readonly skip?: number | undefined
}

interface Entry extends Omit<FaultFilter, 'skip'> {
  readonly fault: Fault
  skip: number
  times: number
}

/** The faults that a test requested, each for a number of calls. */
export class Faults {
  #entries: Entry[] = []

  /** The next `times` matching calls fail. */
  next(fault: Fault, times = 1, { skip = 0, ...filter }: FaultFilter = {}): void {
    this.#entries.push({ fault, times, skip, ...filter })
  }

  take(method: string, path: string): Fault | undefined {
    const entry = this.#entries.find((each) => (each.method ?? method) === method && path.startsWith(each.path ?? ''))
    if (entry === undefined) return undefined
    if (entry.skip > 0) {
      entry.skip -= 1
      return undefined
    }
    entry.times -= 1
    if (entry.times === 0) this.#entries = this.#entries.filter((each) => each !== entry)
    return entry.fault
  }
}
