import type { Source } from '../source/source.ts'
import { defaultPathOf } from './default-names.ts'
import { defaultSource } from './default-source.ts'
import type { EndpointOptions } from './endpoint-options.ts'
import type { RiverhookOptions } from './riverhook-options.ts'

/** An endpoint as it is given, with its path and its source. */
export interface GivenEndpoint {
  readonly path: string
  readonly source: Source
  readonly given: EndpointOptions
}

/** The endpoints of the options, as they are given: nothing is checked. */
export function listEndpoints({
  endpoints,
  source: common = defaultSource(),
  ...flat
}: RiverhookOptions): readonly GivenEndpoint[] {
  const all: NonNullable<RiverhookOptions['endpoints']> = endpoints ?? [flat]
  return all.map(({ source = common, ...given }) => ({
    path: given.path ?? defaultPathOf(source),
    source,
    given
  }))
}
