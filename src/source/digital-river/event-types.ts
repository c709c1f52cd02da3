import { catalogue, type CatalogueEntry } from './catalogue.ts'

type Listed = keyof typeof catalogue

const entries = Object.entries<CatalogueEntry>(catalogue) as [Listed, CatalogueEntry][]

/**
 * The known event types of Digital River: those listed in its documentation, and those that only its prose, release
 * notes or dashboard name. The set is open: an event of another type is recorded and handled like any other. A new type
 * is one entry of `catalogue.ts`: see CONTRIBUTING.md.
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

/** Types whose resource is inferred from the name: no document of the provider confirms it. */
export const inferredEventTypes: readonly Listed[] = entries
  .filter(([, { basis }]) => basis === 'inferred')
  .map(([type]) => type)
