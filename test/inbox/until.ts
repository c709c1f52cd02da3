import type { Inbox } from '../../src/index.ts'

/** Resolves when the condition holds. Checks it whenever deliveries may have become due. */
export async function until(inbox: Inbox, holds: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const end = inbox.onDue(() => {
      resolve(undefined)
    })
    const isSo = await holds()
    if (!isSo) await promise
    end()
    if (isSo) return
  }
}
