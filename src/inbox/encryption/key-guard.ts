import { isUnavailable } from '../../model/inbox-unavailable.ts'
import type { Inbox } from '../inbox.ts'
import { missingKey } from './cipher.ts'
import type { StoredState } from './state.ts'

/** The calls that need no keys. */
const withoutKeys: readonly string[] = ['close', 'onDue', 'notes', 'encryption', 'transact']

/** @throws {RiverhookError} RIVERHOOK_INBOX_KEY if there is a state of the encryption */
export function refuseSealed(stored: string | undefined): void {
  if (stored !== undefined) throw missingKey(Object.keys((JSON.parse(stored) as StoredState).keys))
}

/**
 * Opens an engine, and checks it. An engine whose store is away stays open: every call of it checks again. Any other
 * error closes it.
 */
export async function openChecked(inner: Inbox, check: () => Promise<unknown>): Promise<void> {
  await inner.open()
  try {
    await check()
  } catch (error) {
    if (isUnavailable(error)) return
    await inner.close()
    throw error
  }
}

/**
 * Keeps a process without keys from an inbox that is encrypted: it would give encrypted bodies to handlers, and store
 * plain text. The state is read once, before the first call.
 * @throws {RiverhookError} RIVERHOOK_INBOX_KEY in `open`, or in any call if the store was away then
 */
export function guardKeys(inner: Inbox): Inbox {
  let isChecked = false
  const check = async (): Promise<void> => {
    if (isChecked) return
    refuseSealed(await inner.encryption())
    isChecked = true
  }
  return new Proxy(inner, {
    get(target, name) {
      if (name === 'open') return () => openChecked(inner, check)
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const call = value.bind(target) as (...given: unknown[]) => unknown
      if (isChecked || withoutKeys.includes(String(name))) return call
      return async (...given: unknown[]) => {
        await check()
        return call(...given)
      }
    }
  })
}
