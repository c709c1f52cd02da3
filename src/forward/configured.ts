import type { HandlerDefinition } from '../handlers/handler.ts'
import { readForwardList } from '../model/forwarding.ts'
import { forwardTo } from './forward.ts'

/** The options `forward` and `forwardSecret`, checked. */
export interface ForwardSettings {
  readonly forward?: string | readonly string[] | undefined
  readonly forwardSecret?: string | readonly string[] | undefined
}

/** The handlers that the option `forward` asks for, in its order. */
export function configuredForwards({ forward, forwardSecret }: ForwardSettings): readonly HandlerDefinition[] {
  if (forward === undefined) return []
  return readForwardList(forward).entries.map(({ pattern, url, name }) =>
    forwardTo({ pattern, url, name, secret: forwardSecret })
  )
}
