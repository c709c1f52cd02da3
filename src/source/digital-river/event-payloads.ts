import type { catalogue } from './catalogue.ts'
import type { Resources } from './resources/index.ts'

type Catalogue = typeof catalogue

/**
 * What each event type of Digital River carries in `data.object`: the resource, all of whose fields may be missing
 * after a deletion.
 */
export type DigitalRiverPayloads = {
  readonly [Type in keyof Catalogue]: Catalogue[Type] extends { readonly resource: infer Name extends keyof Resources }
    ? Catalogue[Type] extends { readonly mayBeEmpty: true }
      ? Partial<Resources[Name]>
      : Resources[Name]
    : Record<string, unknown>
}

declare module '../../model/event.ts' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is the merging that counts
  interface EventPayloads extends DigitalRiverPayloads {}
}
