export interface SetClock {
  readonly now: () => number
  readonly advance: (ms: number) => void
}

/** A clock of an inbox that stands still until a test moves it. */
export function setClock(): SetClock {
  let now = 1_000_000_000_000
  return {
    now: () => now,
    advance: (ms) => {
      now += ms
    }
  }
}
