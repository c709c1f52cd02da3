import type { FastifyBaseLogger } from 'fastify'

import type { Actor, Riverhook } from '../index.ts'
import type { Visitor } from './operator.ts'
import type { Plans } from './plan.ts'
import type { JsonSchema } from './schema.ts'
import type { Scope } from './scope.ts'
import type { Tails } from './tails.ts'

/** The schemas of a route. Requests are checked by them, and answers hold only the fields that they name. */
export interface RouteSchema {
  /** One line for the OpenAPI document. */
  readonly summary: string
  readonly params?: JsonSchema
  readonly querystring?: JsonSchema
  /** Without it, the route takes no body. */
  readonly body?: JsonSchema
  /** The media type of an answer that is not JSON. */
  readonly media?: string
  /** By status. Without one, the answer is sent as it is: for streams and files. */
  readonly response: Readonly<Record<number, JsonSchema>>
}

/** The parts of a request, after the checks of the schemas. */
export interface RouteInput {
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
}

/** A request to a route of the operator's API. */
export interface AdminRequest<Input extends RouteInput = RouteInput> {
  readonly params: Input['params']
  readonly query: Input['query']
  readonly body: Input['body']
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** The context of a request to a route with a scope. */
export interface AdminContext {
  readonly riverhook: Riverhook
  /** The operator, for the audit log. */
  readonly actor: Actor
  readonly scopes: ReadonlySet<Scope>
  readonly tails: Tails
  readonly plans: Plans
  /** Aborted when the client has disconnected. */
  readonly signal: AbortSignal
  readonly log: FastifyBaseLogger
}

/** The context of a request to a route of the session: the operator may not be known yet. */
export interface OpenContext extends Omit<AdminContext, 'actor'> {
  readonly visitor: Visitor | undefined
  /** The visitor, for the audit log. */
  readonly actor: Actor | undefined
  readonly session: SessionAccess
}

/** How routes begin and end the session of a browser. */
export interface SessionAccess {
  /** Whether there are tokens to log in with. */
  readonly canLogIn: boolean
  /** Begins a session. Undefined if the token is wrong. */
  readonly begin: (
    token: string
  ) => { readonly visitor: Visitor; readonly actor: Actor; readonly cookie: string } | undefined
  /** Counts a wrong token. @throws {RiverhookError} RIVERHOOK_ADMIN_RATE */
  readonly failed: () => Promise<void>
  /** The headers of an answer that end the session in the browser. */
  readonly endingHeaders: () => Readonly<Record<string, string>>
}

interface RouteBase {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `api/v1/`, in the form of Fastify: `events/:id`. */
  readonly path: string
  readonly schema: RouteSchema
}

/** A route for operators with a scope. */
export interface ScopedRoute<Input extends RouteInput = RouteInput> extends RouteBase {
  readonly scope: Scope
  /**
   * @returns what is answered with status 200 as JSON, or an `AdminAnswer`
   * @throws {RiverhookError} whose code decides the status: `answer-error.ts`
   */
  handle(context: AdminContext, request: AdminRequest<Input>): unknown
}

/** A route for everybody: only those of the session. */
export interface OpenRoute<Input extends RouteInput = RouteInput> extends RouteBase {
  readonly scope: 'none'
  handle(context: OpenContext, request: AdminRequest<Input>): unknown
}

/** An entry of the table of routes, `routes/index.ts`. */
export type AdminRoute = ScopedRoute | OpenRoute

/** An answer with another status than 200, with headers, or with bytes or a stream as its body. */
export class AdminAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown

  constructor({
    status = 200,
    headers = {},
    body
  }: {
    readonly status?: number
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
  }) {
    this.status = status
    this.headers = headers
    this.body = body
  }
}
