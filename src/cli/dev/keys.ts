import { emitKeypressEvents, type Key } from 'node:readline'

/** A key and its action. */
export interface KeyAction {
  readonly key: string
  readonly means: string
  run(): unknown
}

/**
 * Runs an action at each press of its key, on a terminal. One runs at a time, in the order of the presses.
 * @param onEnd Ctrl-C and Ctrl-D, which a terminal in raw mode does not turn into a signal
 * @param onFault an action failed
 * @returns a function that gives the terminal back
 */
export function listenToKeys(
  actions: readonly KeyAction[],
  { onEnd, onFault }: { readonly onEnd: () => void; readonly onFault: (error: unknown) => void }
): () => void {
  const { stdin } = process
  if (!stdin.isTTY || !process.stdout.isTTY) return () => undefined
  let last = Promise.resolve()
  const onKey = (_text: string | undefined, key: Key): void => {
    if (key.ctrl === true && (key.name === 'c' || key.name === 'd')) {
      onEnd()
      return
    }
    const action = actions.find((each) => each.key === key.sequence)
    if (action !== undefined) last = last.then(() => run(action))
  }
  const run = async (action: KeyAction): Promise<void> => {
    try {
      await action.run()
    } catch (error) {
      onFault(error)
    }
  }
  emitKeypressEvents(stdin)
  stdin.setRawMode(true)
  stdin.resume()
  stdin.on('keypress', onKey)
  return () => {
    stdin.off('keypress', onKey)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
