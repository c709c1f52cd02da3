import { signal } from '@preact/signals'
import { useCallback, useEffect, useState } from 'preact/hooks'

/** The person who is signed in, and what they may do. */
export interface Operator {
  readonly name: string
  readonly scopes: readonly string[]
  readonly via: string
}

/** The answer of `session`. Null: no operator is signed in. */
export interface SessionAnswer {
  readonly operator: Operator | null
  /** Whether the API takes tokens. Otherwise a proxy or the host logs in. */
  readonly canLogIn: boolean
}

/** The operator who is signed in. Undefined: not known yet. Null: none. */
export const session = signal<Operator | null | undefined>(undefined)

/** Whether a person can sign in with a token here. */
export const canLogIn = signal(true)

/** Whether the operator may do what needs this scope. */
export const may = (scope: 'read' | 'reveal' | 'operate' | 'erase'): boolean =>
  session.value?.scopes.includes(scope) === true

/** An answer that is no success. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly signal?: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

export const apiPath = (path: string): string => `api/v1/${path}`

/**
 * Calls the API.
 * @throws {ApiError}
 */
export async function call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
  const { method = 'GET', body, signal, headers = {} } = options
  let response: Response
  try {
    response = await fetch(apiPath(path), {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal })
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'OFFLINE', 'The server cannot be reached')
  }
  const text = await response.text()
  if (response.ok) return (text === '' ? undefined : parse(text)) as Answer
  if (response.status === 401) session.value = null
  throw toError(response.status, text)
}

/** A number that JavaScript cannot hold exactly, as it was written. */
export class ExactNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Parses JSON, and keeps the digits of numbers that JavaScript would change. */
function parse(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source
    return typeof value !== 'number' || source === undefined || isExact(value, source) ? value : new ExactNumber(source)
  })
}

function isExact(value: number, source: string): boolean {
  return String(value) === source || (!/[eE]/u.test(source) && source.replace(/[^0-9]/gu, '').length <= 15)
}

function toError(status: number, text: string): ApiError {
  try {
    const { code, error, message } = JSON.parse(text) as { code?: string; error?: string; message?: string }
    return new ApiError(status, code ?? error ?? '', message ?? error ?? `The server answered ${status}`)
  } catch {
    return new ApiError(status, '', `The server answered ${status}`)
  }
}

export interface Loaded<Answer> {
  readonly data: Answer | undefined
  readonly error: ApiError | undefined
  /** True while `data` is missing, or is that of the last path. */
  readonly isLoading: boolean
  readonly reload: () => void
}

interface State<Answer> {
  readonly path: string | undefined
  readonly data: Answer | undefined
  readonly error: ApiError | undefined
}

/**
 * Reads a path of the API, and again when it changes. Keeps what it has until the next answer, so that nothing jumps.
 * @param path undefined: reads nothing yet
 * @param everyMs reads again so often while somebody looks
 */
export function useApi<Answer>(path: string | undefined, everyMs?: number): Loaded<Answer> {
  const [state, setState] = useState<State<Answer>>({ path: undefined, data: undefined, error: undefined })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (path === undefined) return undefined
    const abort = new AbortController()
    call<Answer>(path, { signal: abort.signal }).then(
      (data) => {
        if (!abort.signal.aborted) setState({ path, data, error: undefined })
      },
      (error: unknown) => {
        if (abort.signal.aborted) return
        if (!(error instanceof ApiError)) throw error
        setState((before) => ({ path, data: before.path === path ? before.data : undefined, error }))
      }
    )
    return () => {
      abort.abort()
    }
  }, [path, turn])
  const reload = useCallback(() => {
    setTurn((before) => before + 1)
  }, [])
  useEffect(() => {
    if (everyMs === undefined) return undefined
    const timer = setInterval(() => {
      if (!document.hidden) reload()
    }, everyMs)
    return () => {
      clearInterval(timer)
    }
  }, [everyMs])
  return { data: state.data, error: state.error, isLoading: state.path !== path, reload }
}
