import { useSignal, type Signal } from '@preact/signals'

import { ApiError } from './api.ts'

export interface Act {
  readonly isBusy: Signal<boolean>
  /** Describes what went wrong. */
  readonly problem: Signal<string | undefined>
  /** Runs a call. @returns undefined if it failed */
  readonly run: <Answer>(call: () => Promise<Answer>) => Promise<Answer | undefined>
}

/** The state of something that a person asked for: busy, failed or done. */
export function useAct(): Act {
  const isBusy = useSignal(false)
  const problem = useSignal<string | undefined>(undefined)
  return {
    isBusy,
    problem,
    run: async (call) => {
      isBusy.value = true
      problem.value = undefined
      try {
        return await call()
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        problem.value = error.message
        return undefined
      } finally {
        isBusy.value = false
      }
    }
  }
}
