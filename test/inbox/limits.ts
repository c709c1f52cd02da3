/** Time limits for a test with another subject: a slow machine does not exceed them. */
export const patient = { limitMs: 60_000, readLimitMs: 60_000 } as const

/** As `patient`, for connections without an inbox. */
export const patientConnections = { connectTimeoutMs: 60_000, statementTimeoutMs: 60_000 } as const

/** The time limits of a user's inbox. */
export const usual = { limitMs: undefined, readLimitMs: undefined } as const
