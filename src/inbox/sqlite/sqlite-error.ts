/** The result codes of SQLite that need different handling. https://sqlite.org/rescode.html */
export const sqlite = { BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const

export interface SqliteError extends Error {
  /** An extended result code. */
  readonly errcode: number
}

/** The primary result code: the low byte of an extended one. */
export function primaryCode({ errcode }: SqliteError): number {
  return errcode & 0xff
}

/** True for errors of node:sqlite. */
export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

/** True for errors of SQLite with one of these primary codes. */
export function hasCode(error: unknown, ...codes: readonly number[]): boolean {
  return isSqliteError(error) && codes.includes(primaryCode(error))
}
