/** What a check of the authorization header found. */
export type HeaderVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string }
