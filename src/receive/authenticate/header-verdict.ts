/** What a check of the authorization header found. */
export type HeaderVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** In characters: a host may allow heads of a megabyte, and anybody can send one. */
export const longestAuthorization = 16_384
