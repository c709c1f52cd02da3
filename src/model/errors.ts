/** The table of stable error codes, and the error class. `switch (error.code)` narrows over the keys of the table. */

interface CodeEntry {
  /** The HTTP status of an answer with this code; absent if the code never reaches a sender. */
  readonly statusCode?: number
  /** One line for the table of docs/errors.md. */
  readonly means: string
}

export const errorCodes = {
  RIVERHOOK_OPTIONS_INVALID: {
    means: 'An option is unknown, of the wrong type or out of range. The message names it.'
  },
  RIVERHOOK_OPTIONS_NO_CREDENTIALS: {
    means:
      'An endpoint has neither secrets nor basicAuth nor bearer nor tokenEndpoint. It would accept every request, so it does not start.'
  },
  RIVERHOOK_OPTIONS_CONFIG_FILE: {
    means: 'The config file cannot be read, or exports something else. The message names the file and says what to do.'
  },
  RIVERHOOK_HANDLERS_PATTERN: { means: 'A pattern is neither an event type, nor a prefix like order.*, nor *.' },
  RIVERHOOK_HANDLERS_NAME_CLASH: { means: 'Two handlers have the same name. Give each its own name.' },
  RIVERHOOK_HANDLERS_UNKNOWN_SOURCE: { means: 'A handler is for a source that no endpoint has: it would never run.' },
  RIVERHOOK_HANDLERS_UNKNOWN_TYPE: {
    means: 'A handler is for an event type that is not in the catalogue. Correct it, or use eventType() if it is right.'
  },
  RIVERHOOK_HANDLERS_UNKNOWN: {
    means:
      'There is no handler of this name, neither in the code nor in the list of the inbox. The message suggests one.'
  },
  RIVERHOOK_HANDLERS_DIFFERENT: {
    means:
      "The handlers given to a command are not those of the server's last start. Give all of them, or none: then the server's list is used."
  },
  RIVERHOOK_HANDLERS_LATE: {
    means: 'A handler was registered after the start. Register before listen(), ready() or start().'
  },
  RIVERHOOK_HANDLERS_LOAD: {
    means: 'A file in the handlers folder failed to load. The message names it and says why.'
  },
  RIVERHOOK_HANDLERS_NO_CODE: {
    means:
      'A delivery needs an order key, and the command cannot compute it: give it the handlers, or correct their orderBy.'
  },
  RIVERHOOK_SOURCE_SECRET: { means: 'A signing secret cannot be used, for example because it is empty.' },
  RIVERHOOK_RECEIVE_BAD_ENCODING: { statusCode: 400, means: 'The body is not UTF-8.' },
  RIVERHOOK_RECEIVE_BAD_JSON: { statusCode: 400, means: 'The body is not JSON.' },
  RIVERHOOK_RECEIVE_BAD_ENVELOPE: {
    statusCode: 400,
    means: 'The body is not an event. The message names the field and the rule; the request is quarantined.'
  },
  RIVERHOOK_RECEIVE_WRONG_MODE: {
    statusCode: 400,
    means:
      "The event's `liveMode` is not the endpoint's `mode`; the request is quarantined. Test and live are mixed up, or somebody is trying a test secret."
  },
  RIVERHOOK_RECEIVE_BAD_PAYLOAD: {
    statusCode: 400,
    means:
      'The payload does not match its schema, and `validate` is `reject`. The message names the fields; the request is quarantined.'
  },
  RIVERHOOK_RECEIVE_BAD_REQUEST: { statusCode: 400, means: 'The request is not valid HTTP, or it ended early.' },
  RIVERHOOK_RECEIVE_UNAUTHENTICATED: {
    statusCode: 401,
    means: 'A configured check failed. The answer says no more; the log says which check, and why.'
  },
  RIVERHOOK_RECEIVE_ADDRESS: {
    statusCode: 403,
    means: 'The address of the sender is not in `allow`. The log shows it; behind a proxy it may be that of the proxy.'
  },
  RIVERHOOK_RECEIVE_NOT_FOUND: { statusCode: 404, means: 'Nothing is served at this path.' },
  RIVERHOOK_RECEIVE_METHOD: {
    statusCode: 405,
    means: 'Only POST is served at an endpoint (answered by `riverhook serve`).'
  },
  RIVERHOOK_RECEIVE_TOO_LARGE: { statusCode: 413, means: 'The body is larger than bodyLimit.' },
  RIVERHOOK_RECEIVE_MEDIA_TYPE: { statusCode: 415, means: 'The content type is not JSON, or the body is compressed.' },
  RIVERHOOK_RECEIVE_FAULT: {
    statusCode: 500,
    means: 'Internal error. The log has the details.'
  },
  RIVERHOOK_RECEIVE_OVERLOADED: {
    statusCode: 503,
    means: 'The request bodies in memory use up bodyBudget; the sender should retry.'
  },
  RIVERHOOK_RECEIVE_DRAINING: { statusCode: 503, means: 'The process is shutting down; the sender should retry.' },
  RIVERHOOK_TOKEN_REQUEST: {
    statusCode: 400,
    means:
      'A request for a token is not as RFC 6749 requires, or for a grant that its client does not have. The answer says which error it is.'
  },
  RIVERHOOK_TOKEN_PASSWORD: {
    statusCode: 400,
    means: 'A request for a token has a wrong user name or password (`invalid_grant`).'
  },
  RIVERHOOK_TOKEN_CLIENT: {
    statusCode: 401,
    means: 'A request for a token is of no configured client (`invalid_client`). The log says no more than the answer.'
  },
  RIVERHOOK_TOKEN_RATE: {
    statusCode: 429,
    means: 'More than 10 failed logins a minute from one address at the token endpoint.'
  },
  RIVERHOOK_INBOX_UNAVAILABLE: {
    statusCode: 503,
    means: 'The inbox could not write (disk full, file locked, database unavailable ...). It keeps trying.'
  },
  RIVERHOOK_INBOX_DEADLINE: {
    statusCode: 503,
    means: 'The event was not on disk within ackTimeout: the inbox or the request was too slow.'
  },
  RIVERHOOK_INBOX_OVERLOADED: {
    statusCode: 503,
    means: 'More requests are waiting than the inbox can commit in time.'
  },
  RIVERHOOK_INBOX_IN_USE: { means: 'Another server uses this inbox file. Each file can have one server.' },
  RIVERHOOK_INBOX_VERSION: {
    means:
      'The inbox was written by a newer Riverhook than this one, or by another build of this version, or PostgreSQL is older than 13.'
  },
  RIVERHOOK_INBOX_BACKUP: {
    means: 'A backup could not be written, or cannot be restored. The message says why; nothing was changed.'
  },
  RIVERHOOK_INBOX_ADDRESS: {
    means:
      'The inbox address is not understood (sqlite:PATH, memory: or postgres://...), or leads to a pooler in transaction mode, or to a schema that another role owns.'
  },
  RIVERHOOK_INBOX_READ_LIMIT: {
    means:
      'A list, a count or a detail took longer than 2 s and was ended, so that the server keeps its speed. Ask for less.'
  },
  RIVERHOOK_INBOX_READS_BUSY: {
    means:
      'Too many lists, counts or details were asked for at a time: this one had no turn within 2 s. Ask again later.'
  },
  RIVERHOOK_INBOX_JOB_ENDED: {
    means: 'A replay that a call waited for was stopped, or failed in another process. The message says which.'
  },
  RIVERHOOK_INBOX_KEY_USED: {
    means: 'The idempotency key belongs to a replay with another filter or other options. Use a new key.'
  },
  RIVERHOOK_INBOX_KEY: {
    means:
      'The inbox has data that is encrypted with a key that the process does not have, or that has another value. The message has its id. The server does not start.'
  },
  RIVERHOOK_INBOX_DAMAGED: {
    means:
      'Encrypted data cannot be decrypted: it was changed in the store, or belongs to another event. A delivery of the event is a dead letter.'
  },
  RIVERHOOK_INBOX_CLOSED: { means: 'The inbox was used before open() or after close().' },
  RIVERHOOK_DELIVER_TIMEOUT: { means: 'A handler did not finish within its time limit.' },
  RIVERHOOK_DELIVER_NOT_BEGUN: {
    means:
      'A handler returned work that Riverhook neither starts nor awaits (an Observable, a generator, a function, an array of promises ...). The message says what to return instead.'
  },
  RIVERHOOK_DELIVER_LEASE_LOST: {
    means:
      'A process died or stalled while it ran this delivery. It runs again after a pause, and alone after repeated losses; only a run that is lost alone counts as an attempt.'
  },
  RIVERHOOK_DELIVER_FAULT: {
    means:
      'An uncaught error ended the process. If this attempt threw it, the attempt has failed; other deliveries run again.'
  },
  RIVERHOOK_DELIVER_SHUTDOWN: {
    means: 'The process shuts down. The delivery is handed back and runs again; the attempt is not counted.'
  },
  RIVERHOOK_DELIVER_TRANSACTION: {
    means:
      'context.transaction() was used wrongly: the inbox has no transactions (only PostgreSQL has), it was used twice in one attempt or after its end, or the handler committed, rolled back or continued after a failed statement. The message says which.'
  },
  RIVERHOOK_DELIVER_UNREADABLE: {
    means: 'A stored event can no longer be read. Its delivery is a dead letter.'
  },
  RIVERHOOK_FORWARD_FAILED: {
    means:
      'A service to which `forward()` sends events did not take one: no answer, or a status that a retry may resolve. It is retried.'
  },
  RIVERHOOK_MANAGE_NOT_CREATED: {
    means:
      'The provider has no webhook at the address, and shows the secret of a new one only once: a command creates it.'
  },
  RIVERHOOK_MANAGE_UNSETTLED: {
    means: 'Somebody else kept changing the webhook while it was being synchronised. Try again.'
  },
  RIVERHOOK_API_REFUSED: { means: "The provider's API refused a call. The message has its reasons, and what to do." },
  RIVERHOOK_API_UNREACHABLE: {
    means: "The provider's API gave no complete answer: a network error, or the time limit."
  },
  RIVERHOOK_API_ANSWER: {
    means: "The answer of the provider's API cannot be read, or its pages never end."
  },
  RIVERHOOK_ADMIN_NO_LOGIN: {
    means:
      "The operator's API has neither tokens nor a proxy nor `authenticate`. Everybody could come in, so it does not start."
  },
  RIVERHOOK_ADMIN_INVALID: {
    statusCode: 400,
    means: "A request to the operator's API does not match its schema. The message names the field and the rule."
  },
  RIVERHOOK_ADMIN_UNAUTHENTICATED: {
    statusCode: 401,
    means: "A request to the operator's API has no valid token, session or login."
  },
  RIVERHOOK_ADMIN_CROSS_SITE: {
    statusCode: 403,
    means: "A request to the operator's API may come from a page of another site, with the operator's login."
  },
  RIVERHOOK_ADMIN_FORBIDDEN: {
    statusCode: 403,
    means: 'The operator does not have the scope that the request needs. The message names it.'
  },
  RIVERHOOK_ADMIN_NOT_FOUND: { statusCode: 404, means: "The operator's API has no such route, or no such thing." },
  RIVERHOOK_ADMIN_CONFLICT: {
    statusCode: 409,
    means:
      'What is to be changed is not what the operator has seen: the count is not that of the plan, or more events match it now. Plan again.'
  },
  RIVERHOOK_ADMIN_PLAN_EXPIRED: {
    statusCode: 410,
    means: "A plan of the operator's API is older than 15 minutes, or was made by another version. Plan again."
  },
  RIVERHOOK_ADMIN_TOO_LARGE: {
    statusCode: 413,
    means: "The body of a request to the operator's API is larger than 64 KiB."
  },
  RIVERHOOK_ADMIN_MEDIA_TYPE: {
    statusCode: 415,
    means: "The body of a request to the operator's API is not `application/json`."
  },
  RIVERHOOK_ADMIN_HOST: {
    statusCode: 421,
    means: "The operator's API was called by a name that is not listed. Add the name to RIVERHOOK_ADMIN_HOSTS."
  },
  RIVERHOOK_ADMIN_RATE: {
    statusCode: 429,
    means:
      'Too many failed logins from an address or acts of an operator in a minute, or too many live tails at a time.'
  },
  RIVERHOOK_ADMIN_FAULT: {
    statusCode: 500,
    means: "Internal error in the operator's API. The log has the details."
  },
  RIVERHOOK_CLI_USAGE: { means: 'The command line is wrong. The message says what is expected.' },
  RIVERHOOK_CLI_FASTIFY: {
    means: 'The command needs Fastify, which is not installed beside the package: npm install fastify'
  },
  RIVERHOOK_CLI_NOT_FOUND: { means: 'The inbox has no event with that id.' }
} as const satisfies Record<string, CodeEntry>

export type RiverhookErrorCode = keyof typeof errorCodes

/**
 * Every error that Riverhook throws on purpose. `message` says what happened, to which field or event, and what to do.
 * It never holds a secret or a payload value.
 */
export class RiverhookError extends Error {
  override readonly name: string = 'RiverhookError'
  readonly code: RiverhookErrorCode
  /** The HTTP status of the code; undefined if the code never reaches a sender. */
  readonly statusCode: number | undefined

  constructor(code: RiverhookErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    const entry: CodeEntry = errorCodes[code]
    this.statusCode = entry.statusCode
  }
}

// These marks work across copies of this module: a user's handler may import another copy of the package.
const permanentMark = Symbol.for('riverhook.PermanentError')
const retryLaterMark = Symbol.for('riverhook.RetryLater')

/** Thrown by a handler if no retry can help: the delivery becomes a dead letter at once. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
  readonly [permanentMark] = true
}

/** Thrown by a handler to choose when it runs again. The attempt counts like any other. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
  readonly [retryLaterMark] = true
  /** The delay in milliseconds, or the time of the next attempt. */
  readonly after: number | Date

  /** @throws {TypeError} when `after` is neither a valid Date nor a finite number of milliseconds >= 0 */
  constructor(options: { after: number | Date; message?: string }) {
    super(options.message ?? 'The handler asked to be run again later')
    const { after } = options
    const valid = after instanceof Date ? !Number.isNaN(after.getTime()) : Number.isFinite(after) && after >= 0
    if (!valid) throw new TypeError('RetryLater: "after" must be milliseconds (a number >= 0) or a valid Date')
    this.after = after
  }
}

/** True for a PermanentError of this or another copy of the package. */
export function isPermanentError(error: unknown): error is PermanentError {
  return typeof error === 'object' && error !== null && permanentMark in error
}

/** True for a RetryLater of this or another copy of the package. */
export function isRetryLater(error: unknown): error is RetryLater {
  return typeof error === 'object' && error !== null && retryLaterMark in error
}
