import type { GivenEndpoint } from '../../options/list-endpoints.ts'
import type { importServer } from '../import-server.ts'

/** A server of `riverhook dev`: a reload makes another one. */
export type App = Awaited<ReturnType<Awaited<ReturnType<typeof importServer>>['createServer']>>

/** An endpoint as `riverhook dev` serves it. */
export type ServedEndpoint = GivenEndpoint & {
  readonly url: string
  /** Undefined if the endpoint has no signing secret. */
  readonly secret: string | undefined
}

/** The running server, for the keys. */
export interface Session {
  readonly app: () => Promise<App>
  readonly endpoints: () => readonly ServedEndpoint[]
  /** Undefined if the page is not built. */
  readonly pageUrl: string | undefined
}
