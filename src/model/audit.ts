/**
 * Where an actor comes from: `token`, `session` and `proxy` are ways into the operator's API, `host` is the
 * `authenticate` of the app that mounts it, `command` is the command line, `code` a call of a method.
 */
export const actorOrigins = ['token', 'session', 'proxy', 'host', 'command', 'code'] as const

export type ActorOrigin = (typeof actorOrigins)[number]

/** The person or program that acts. */
export interface Actor {
  /** The name of a person or a program. */
  readonly name: string
  readonly via: ActorOrigin
  /** The address that the request came from. */
  readonly peer?: string | undefined
  /** The id of the request or the run of a command. All its entries have it. */
  readonly requestId?: string | undefined
}

/** An act, before it is done. Never contains a secret, a payload value or a search key. */
export interface Act {
  readonly actor: Actor
  /** A noun and a verb, such as `handler.pause`. */
  readonly action: string
  /** To what it is done: a handler, an event, a filter ... */
  readonly target: string
}

/** The effect of an act. */
export interface ActResult {
  /** How many things it changed: 0 if it changed nothing. */
  readonly count: number
  /** In a few words. */
  readonly outcome: string
}

/** An act that was done. Entries are never changed. */
export interface AuditEntry extends ActResult {
  /** The position in the log. */
  readonly seq: number
  readonly at: Date
  /** The name of the actor. */
  readonly actor: string
  readonly via: ActorOrigin
  readonly peer: string | undefined
  readonly requestId: string | undefined
  readonly action: string
  readonly target: string
}

/** The actor of a call that names none. */
export const codeActor: Actor = { name: 'riverhook', via: 'code' }
