/** The result of a check of the authorization header. */
export type HeaderVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly reason: string
      /** The answer says so (RFC 6750, 3.1), so that the sender fetches another token. */
      readonly isTokenInvalid?: true
    }

/** In characters. A host may allow headers of a megabyte, and anybody can send one. */
export const longestAuthorization = 16_384
