/**
 * Removes white space and quotes around a secret, from each end separately: in a quoted list, the first secret has the
 * opening quote and the last has the closing one.
 */
export function unwrapSecret(secret: string): string {
  return secret.trim().replace(/^["']/, '').replace(/["']$/, '').trim()
}
