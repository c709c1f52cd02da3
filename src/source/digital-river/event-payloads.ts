import type { eventTypes, withdrawnEventTypes } from './event-types.ts'

type Listed = (typeof eventTypes)[number] | (typeof withdrawnEventTypes)[number]

/** What each event type of Digital River carries in `data.object`. */
export type DigitalRiverPayloads = { readonly [Type in Listed]: Record<string, unknown> }

declare module '../../event.ts' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is the merging that counts
  interface EventPayloads extends DigitalRiverPayloads {}
}
