/** A kind of signature that a provider sends. */
export interface SignatureKind {
  /** The prefix of a signature of this kind. */
  readonly prefix: string
  /** The form of a signature, without the prefix. */
  readonly pattern: RegExp
  /** The most signatures of this kind in a request: they are compared before the request is authentic. */
  readonly most: number
}

/** A secret that is ready for use. */
export interface Key {
  readonly kind: SignatureKind
  /**
   * Whether one of the signatures was made with this secret. Compares in constant time. Never throws.
   * @param pieces the signed bytes
   * @param signatures of the kind, without the prefix
   */
  matches(pieces: Pieces, signatures: readonly string[]): boolean
  /** The signature, without the prefix. @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET for a public key */
  sign(pieces: Pieces): string
}

export type Pieces = readonly (string | Uint8Array)[]

/** How a provider signs. */
export interface Scheme {
  /** The form of a signature, for the log, such as `v1,<Base64>`. */
  readonly expected: string
  readonly kinds: readonly SignatureKind[]
  /** @throws {UnusableSecret} */
  keyOf(secret: string): Key
}

/**
 * A secret that cannot be a key. The message is the end of a sentence whose subject is the secret; it never shows the
 * secret.
 */
export class UnusableSecret extends Error {
  override readonly name = 'UnusableSecret'
}
