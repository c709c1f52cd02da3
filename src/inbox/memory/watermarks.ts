import type { Watermark } from '../inbox.ts'
import type { Store } from './store.ts'

/** Returns how far something of a realm has been read. */
export function findWatermark({ watermarks }: Store, realm: string, name: string): Date | undefined {
  return watermarks.get(markText(realm, name))?.at
}

export function listWatermarks({ watermarks }: Store): readonly Watermark[] {
  return [...watermarks.values()]
}

/** Moves a watermark forward. Replaces one in the future. */
export function advance(store: Store, realm: string, name: string, to: Date, now: number): void {
  const last = findWatermark(store, realm, name)?.getTime()
  const at = Math.min(to.getTime(), now)
  if (last === undefined || last < at || last > now)
    store.watermarks.set(markText(realm, name), { realm, name, at: new Date(at) })
}

function markText(realm: string, name: string): string {
  return JSON.stringify([realm, name])
}
