import { catalogue, type CatalogueEntry } from './catalogue.ts'

type Listed = keyof typeof catalogue

const entries = Object.entries<CatalogueEntry>(catalogue) as [Listed, CatalogueEntry][]

/**
 * The event types that Digital River is known to send: the list in its documentation, and those that only its prose,
 * release notes or dashboard name. The set is open: another type is recorded and handled like any other.
 */
export const eventTypes: readonly Listed[] = entries
  .filter(([, { withdrawn }]) => withdrawn === undefined)
  .map(([type]) => type)

/**
 * Types that the documentation still lists, although release notes say that they were withdrawn or renamed in 2020 or
 * earlier.
 */
export const withdrawnEventTypes: readonly Listed[] = entries
  .filter(([, { withdrawn }]) => withdrawn)
  .map(([type]) => type)

/** Types whose resource only their name tells: nothing of the provider's confirms it. */
export const inferredEventTypes: readonly Listed[] = entries
  .filter(([, { basis }]) => basis === 'inferred')
  .map(([type]) => type)
